/** Shrinking by averaging: every cell is the mean of the pixels under it, by the area they share. */

import type { Raster } from '../decoding/person.ts';
import type { Pixels } from '../preprocessing.ts';
import { remembered } from '../remember.ts';

/** Which pixels lie under each cell of an axis, and how much of each. */
interface Areas {
  /** Pixels `[first[k], first[k + 1])` of the lists below belong to cell k. */
  first: Int32Array;
  pixel: Int32Array;
  weight: Float32Array;
}

const areasOf = remembered((size: number, cells: number): Areas => {
  const first = new Int32Array(cells + 1);
  const pixel: number[] = [];
  const weight: number[] = [];
  for (let cell = 0; cell < cells; cell++) {
    // Whole numbers divided last, so that pixels that only touch a cell have a share of exactly 0.
    const from = (cell * size) / cells;
    const to = ((cell + 1) * size) / cells;
    for (let at = Math.floor(from); at < to; at++) {
      const share = Math.min(at + 1, to) - Math.max(at, from);
      pixel.push(at);
      weight.push((share * cells) / size);
    }
    first[cell + 1] = pixel.length;
  }
  return { first, pixel: Int32Array.from(pixel), weight: Float32Array.from(weight) };
});

/** Pixels to a cell along both axes where these are whole numbers, as for the usual sizes. */
function wholeFactors(source: Pixels | Raster, target: Raster): [number, number] | undefined {
  const across = source.width / target.width;
  const down = source.height / target.height;
  return Number.isInteger(across) && Number.isInteger(down) ? [across, down] : undefined;
}

/** Shrink a raster of floats into another. */
export function shrinkRaster(source: Raster, target: Raster): void {
  const factors = wholeFactors(source, target);
  if (factors !== undefined) return shrinkRasterByWhole(source, target, ...factors);
  const rows = areasOf(source.height, target.height);
  const columns = areasOf(source.width, target.width);
  const { data } = source;
  target.data.fill(0);
  for (let row = 0; row < target.height; row++) {
    const start = row * target.width;
    for (let r = rows.first[row]; r < rows.first[row + 1]; r++) {
      const line = rows.pixel[r] * source.width;
      const share = rows.weight[r];
      for (let column = 0; column < target.width; column++) {
        let sum = 0;
        for (let c = columns.first[column]; c < columns.first[column + 1]; c++) {
          sum += data[line + columns.pixel[c]] * columns.weight[c];
        }
        target.data[start + column] += sum * share;
      }
    }
  }
}

function shrinkRasterByWhole(source: Raster, target: Raster, across: number, down: number): void {
  const { data, width } = source;
  const share = 1 / (across * down);
  for (let row = 0, out = 0; row < target.height; row++) {
    for (let column = 0; column < target.width; column++, out++) {
      const first = row * down * width + column * across;
      let sum = 0;
      for (let line = first; line < first + down * width; line += width) {
        for (let at = line; at < line + across; at++) sum += data[at];
      }
      target.data[out] = sum * share;
    }
  }
}

/** Floats of red, green and blue, row by row, 0..255. */
export interface Picture {
  data: Float32Array;
  width: number;
  height: number;
}

/** Shrink RGBA pixels, mirrored if `flip`, into a small picture of whole levels. */
export function shrinkPixels(source: Pixels, flip: boolean, target: Picture): void {
  const factors = wholeFactors(source, target);
  if (factors !== undefined) return shrinkPixelsByWhole(source, flip, target, ...factors);
  const rows = areasOf(source.height, target.height);
  const columns = areasOf(source.width, target.width);
  const { data } = source;
  const { data: out, width } = target;
  out.fill(0);
  for (let row = 0; row < target.height; row++) {
    const start = row * width;
    for (let r = rows.first[row]; r < rows.first[row + 1]; r++) {
      const line = rows.pixel[r] * source.width;
      const share = rows.weight[r];
      for (let column = 0; column < width; column++) {
        let red = 0;
        let green = 0;
        let blue = 0;
        for (let c = columns.first[column]; c < columns.first[column + 1]; c++) {
          const at = (line + columns.pixel[c]) << 2;
          const weight = columns.weight[c];
          red += data[at] * weight;
          green += data[at + 1] * weight;
          blue += data[at + 2] * weight;
        }
        const to = 3 * (start + (flip ? width - 1 - column : column));
        out[to] += red * share;
        out[to + 1] += green * share;
        out[to + 2] += blue * share;
      }
    }
  }
  for (let at = 0; at < out.length; at++) out[at] = Math.round(out[at]);
}

function shrinkPixelsByWhole(
  source: Pixels,
  flip: boolean,
  target: Picture,
  across: number,
  down: number,
): void {
  const { data } = source;
  const { data: out, width, height } = target;
  const pitch = 4 * source.width;
  const share = 1 / (across * down);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const first = row * down * pitch + 4 * column * across;
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let line = first; line < first + down * pitch; line += pitch) {
        for (let at = line; at < line + 4 * across; at += 4) {
          red += data[at];
          green += data[at + 1];
          blue += data[at + 2];
        }
      }
      const to = 3 * (row * width + (flip ? width - 1 - column : column));
      out[to] = (red * share + 0.5) | 0;
      out[to + 1] = (green * share + 0.5) | 0;
      out[to + 2] = (blue * share + 0.5) | 0;
    }
  }
}

/** Shrink a small picture to the luma, 0..255, of an even smaller one. */
export function shrinkToLuma(source: Picture, target: Raster): void {
  const rows = areasOf(source.height, target.height);
  const columns = areasOf(source.width, target.width);
  const { data } = source;
  for (let row = 0; row < target.height; row++) {
    for (let column = 0; column < target.width; column++) {
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let r = rows.first[row]; r < rows.first[row + 1]; r++) {
        const line = rows.pixel[r] * source.width;
        for (let c = columns.first[column]; c < columns.first[column + 1]; c++) {
          const weight = rows.weight[r] * columns.weight[c];
          const at = 3 * (line + columns.pixel[c]);
          red += data[at] * weight;
          green += data[at + 1] * weight;
          blue += data[at + 2] * weight;
        }
      }
      const luma = 0.299 * Math.round(red) + 0.587 * Math.round(green) + 0.114 * Math.round(blue);
      target.data[row * target.width + column] = Math.round(luma);
    }
  }
}
