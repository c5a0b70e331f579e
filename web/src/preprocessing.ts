/**
 * From pixels to the network's input: zero padding, bilinear resize, normalisation, mirror image.
 *
 * Padding is never copied: an output that reads outside the image weighs that pixel with 0.
 */

import { centredTaps, legacyTaps, type Frame, type Taps } from './geometry.ts';
import { remembered } from './remember.ts';

export type Preprocessing = 'mobilenet' | 'resnet50';

/** RGBA bytes, row by row. */
export interface Pixels {
  data: Uint8ClampedArray | Uint8Array;
  width: number;
  height: number;
}

/** `scale` and the offsets of red, green and blue: `value = byte * scale + offset`. */
const NORMALISATION: Record<Preprocessing, readonly [number, number, number, number]> = {
  mobilenet: [1 / 127.5, -1, -1, -1],
  resnet50: [1, -123.15, -115.9, -103.06],
};

/** Taps into unpadded pixels, with a weight for each of the two; 0 where it lies in the padding. */
interface Reads {
  low: Int32Array;
  high: Int32Array;
  lowWeight: Float32Array;
  highWeight: Float32Array;
}

interface Plan {
  rows: Reads;
  columns: Reads;
}

function reads({ low, high, weight }: Taps, size: number, before: number, flip: boolean): Reads {
  const count = low.length;
  const result: Reads = {
    low: new Int32Array(count),
    high: new Int32Array(count),
    lowWeight: new Float32Array(count),
    highWeight: new Float32Array(count),
  };
  const place = (padded: number): number => {
    const pixel = padded - before;
    return flip ? size - 1 - pixel : pixel;
  };
  for (let index = 0; index < count; index++) {
    const first = place(low[index]);
    const second = place(high[index]);
    const firstInside = first >= 0 && first < size;
    const secondInside = second >= 0 && second < size;
    result.low[index] = firstInside ? first : 0;
    result.high[index] = secondInside ? second : 0;
    result.lowWeight[index] = firstInside ? 1 - weight[index] : 0;
    result.highWeight[index] = secondInside ? weight[index] : 0;
  }
  return result;
}

const planOf = remembered((frame: Frame, flip: boolean): Plan => {
  const { padding, height, width } = frame;
  const taps = frame.centred ? centredTaps : legacyTaps;
  const rowTaps = taps(height + padding.top + padding.bottom, frame.inputHeight);
  const columnTaps = taps(width + padding.left + padding.right, frame.inputWidth);
  return {
    rows: reads(rowTaps, height, padding.top, false),
    columns: reads(columnTaps, width, padding.left, flip),
  };
});

/**
 * Fill `target` with the network's input: float32 (h, w, 3), row by row.
 *
 * In the centred convention values are rounded to bytes before they are normalised, as in Python.
 */
export function fillNetworkInput(
  pixels: Pixels,
  frame: Frame,
  preprocessing: Preprocessing,
  flip: boolean,
  target: Float32Array,
): void {
  const { rows, columns } = planOf(frame, flip);
  const { low, high, lowWeight, highWeight } = columns;
  const [scale, red, green, blue] = NORMALISATION[preprocessing];
  const { data, width } = pixels;
  const count = low.length;
  const rounds = frame.centred;
  let out = 0;
  for (let row = 0; row < rows.low.length; row++) {
    const upper = rows.low[row] * width;
    const lower = rows.high[row] * width;
    const upperWeight = rows.lowWeight[row];
    const lowerWeight = rows.highWeight[row];
    for (let column = 0; column < count; column++) {
      const left = low[column];
      const right = high[column];
      const a = (upper + left) << 2;
      const b = (upper + right) << 2;
      const c = (lower + left) << 2;
      const d = (lower + right) << 2;
      const wa = upperWeight * lowWeight[column];
      const wb = upperWeight * highWeight[column];
      const wc = lowerWeight * lowWeight[column];
      const wd = lowerWeight * highWeight[column];
      let r = data[a] * wa + data[b] * wb + data[c] * wc + data[d] * wd;
      let g = data[a + 1] * wa + data[b + 1] * wb + data[c + 1] * wc + data[d + 1] * wd;
      let bl = data[a + 2] * wa + data[b + 2] * wb + data[c + 2] * wc + data[d + 2] * wd;
      if (rounds) {
        r = (r + 0.5) | 0;
        g = (g + 0.5) | 0;
        bl = (bl + 0.5) | 0;
      }
      target[out] = r * scale + red;
      target[out + 1] = g * scale + green;
      target[out + 2] = bl * scale + blue;
      out += 3;
    }
  }
}
