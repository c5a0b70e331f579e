/**
 * Person logits on the network's grid to a mask, or to probabilities, in image pixels.
 *
 * The same formulas as `bodypix/decoding/masks.py`. In a centred frame: one bilinear resize of the
 * logits, then the sigmoid; a mask needs no sigmoid, for `p > t` is `logit > log(t / (1 - t))`. In
 * the original's frame: resize to network pixels, sigmoid, resize to image pixels.
 *
 * Interpolated values lie between their neighbours. So wherever both neighbours are on one side of
 * the threshold, the pixels between them are filled without looking at them.
 */

import { alignedTaps, columnAxis, imageTaps, rowAxis, type Frame, type Taps } from '../geometry.ts';
import type { Head } from '../heads.ts';
import { remembered } from '../remember.ts';

/** Rounding errors of interpolated float32 values are a hundred times smaller than this. */
const SAFE_MARGIN = 1e-5;

/** A grid of values and where image pixels lie on it: what interpolates to the answer. */
interface Values {
  data: Float32Array;
  columns: number;
  rowTaps: Taps;
  columnTaps: Taps;
}

/** Outputs `[starts[k], starts[k + 1])` of an axis lie between value k and the next one. */
function startsOf(taps: Taps, size: number): Int32Array {
  const starts = new Int32Array(size + 1).fill(taps.low.length);
  for (let index = taps.low.length - 1; index >= 0; index--) starts[taps.low[index]] = index;
  for (let k = size - 1; k >= 0; k--) starts[k] = Math.min(starts[k], starts[k + 1]);
  return starts;
}

interface Axes {
  rowTaps: Taps;
  columnTaps: Taps;
  columnStarts: Int32Array;
}

/** How a grid, or with stride 1 all network pixels, lies under the image or a smaller raster. */
const axesOf = remembered((frame: Frame, stride: number, height: number, width: number): Axes => {
  const rowTaps = imageTaps(rowAxis(frame), height, stride);
  const columnTaps = imageTaps(columnAxis(frame), width, stride);
  const columns = Math.floor((frame.inputWidth - 1) / stride) + 1;
  return { rowTaps, columnTaps, columnStarts: startsOf(columnTaps, columns) };
});

const networkTaps = remembered((nodes: number, size: number): Taps => alignedTaps(nodes, size));

/** Network pixels from one grid node to the next. */
export function strideOf(frame: Frame, rows: number, columns: number): number {
  if (rows > 1) return Math.floor((frame.inputHeight - 1) / (rows - 1));
  return columns > 1 ? Math.floor((frame.inputWidth - 1) / (columns - 1)) : 1;
}

/** log(t / (1 - t)), infinite for 0 and 1. */
export function logit(probability: number): number {
  return Math.log(probability) - Math.log1p(-probability);
}

export function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}

/**
 * The mask: 1 where the probability is strictly above the threshold, else 0.
 *
 * @param head - person logits, one channel.
 */
export function personMask(head: Head, frame: Frame, threshold: number): Uint8Array<ArrayBuffer> {
  const { height, width } = frame;
  const mask = new Uint8Array(height * width);
  if (frame.centred) {
    const stride = strideOf(frame, head.rows, head.columns);
    const axes = axesOf(frame, stride, height, width);
    // Python compares with the threshold as float32.
    const limit = Math.fround(logit(Math.fround(threshold)));
    thresholdInto(mask, { data: head.data, columns: head.columns, ...axes }, axes, limit, width);
    return mask;
  }
  const axes = axesOf(frame, 1, height, width);
  const data = networkScores(head, frame, threshold);
  const limit = Math.fround(threshold);
  thresholdInto(mask, { data, columns: frame.inputWidth, ...axes }, axes, limit, width);
  return mask;
}

function thresholdInto(
  mask: Uint8Array,
  values: Values,
  { columnStarts }: Axes,
  limit: number,
  width: number,
): void {
  const { data, columns, rowTaps, columnTaps } = values;
  const { weight } = columnTaps;
  const line = new Float32Array(columns + 1);
  for (let row = 0; row < rowTaps.low.length; row++) {
    const upper = rowTaps.low[row] * columns;
    const lower = rowTaps.high[row] * columns;
    const down = rowTaps.weight[row];
    for (let column = 0; column < columns; column++) {
      const value = data[upper + column];
      line[column] = value + (data[lower + column] - value) * down;
    }
    line[columns] = line[columns - 1];
    const start = row * width;
    // A run of columns whose neighbours agree is filled at once; `from` is where it began.
    let inside = line[0] > limit;
    let from = 0;
    for (let column = 0; column < columns; column++) {
      const left = line[column];
      const right = line[column + 1];
      const rightInside = right > limit;
      if (rightInside === inside) continue;
      const first = columnStarts[column];
      const last = columnStarts[column + 1];
      mask.fill(inside ? 1 : 0, start + from, start + first);
      for (let x = first; x < last; x++) {
        mask[start + x] = left + (right - left) * weight[x] > limit ? 1 : 0;
      }
      from = last;
      inside = rightInside;
    }
    mask.fill(inside ? 1 : 0, start + from, start + width);
  }
}

/**
 * Probability at network pixels of the original's frame, exact wherever it may decide a mask.
 *
 * Cells of the grid whose corners are all surely above or below the threshold are 1 or 0 inside.
 * Every image pixel lies within one closed cell, so that its answer stays the same.
 */
function networkScores(head: Head, frame: Frame, threshold: number): Float32Array {
  const { inputHeight, inputWidth } = frame;
  const scores = new Float32Array(inputHeight * inputWidth);
  const high = logit(Math.min(threshold + SAFE_MARGIN, 1));
  const low = logit(Math.max(threshold - SAFE_MARGIN, 0));
  const undecided: number[] = [];
  const { data, rows, columns } = head;
  const cellRows = Math.max(rows - 1, 1);
  const cellColumns = Math.max(columns - 1, 1);
  for (let row = 0; row < cellRows; row++) {
    for (let column = 0; column < cellColumns; column++) {
      const lower = Math.min(row + 1, rows - 1);
      const right = Math.min(column + 1, columns - 1);
      const a = data[row * columns + column];
      const b = data[row * columns + right];
      const c = data[lower * columns + column];
      const d = data[lower * columns + right];
      if (a > high && b > high && c > high && d > high) {
        fillCell(scores, frame, head, row, column, true);
      } else if (!(a < low && b < low && c < low && d < low)) {
        undecided.push(row, column);
      }
    }
  }
  // Last, because what lies on the edge of two cells must have the exact value.
  for (let index = 0; index < undecided.length; index += 2) {
    fillCell(scores, frame, head, undecided[index], undecided[index + 1], false);
  }
  return scores;
}

/** The network pixels of a closed cell: 1, or the sigmoid of the interpolated logits. */
function fillCell(
  scores: Float32Array,
  frame: Frame,
  head: Head,
  row: number,
  column: number,
  certain: boolean,
): void {
  const { inputHeight, inputWidth } = frame;
  const stride = strideOf(frame, head.rows, head.columns);
  const top = row * stride;
  const left = column * stride;
  const bottom = Math.min(top + stride, inputHeight - 1);
  const right = Math.min(left + stride, inputWidth - 1);
  if (certain) {
    for (let y = top; y <= bottom; y++) {
      scores.fill(1, y * inputWidth + left, y * inputWidth + right + 1);
    }
    return;
  }
  const rowTaps = networkTaps(head.rows, inputHeight);
  const columnTaps = networkTaps(head.columns, inputWidth);
  for (let y = top; y <= bottom; y++) {
    const upper = rowTaps.low[y] * head.columns;
    const lower = rowTaps.high[y] * head.columns;
    const down = rowTaps.weight[y];
    for (let x = left; x <= right; x++) {
      const across = columnTaps.weight[x];
      const first = columnTaps.low[x];
      const second = columnTaps.high[x];
      const a =
        head.data[upper + first] + (head.data[lower + first] - head.data[upper + first]) * down;
      const b =
        head.data[upper + second] + (head.data[lower + second] - head.data[upper + second]) * down;
      scores[y * inputWidth + x] = sigmoid(a + (b - a) * across);
    }
  }
}

/** A float for each pixel of a raster that covers the image, row by row. */
export interface Raster {
  data: Float32Array;
  width: number;
  height: number;
}

/**
 * The probability on a raster of any size that covers the image evenly.
 *
 * @param target - its size, and memory to fill; `frame.height` x `frame.width` is every pixel.
 */
export function personProbability(head: Head, frame: Frame, target: Raster): void {
  const { centred } = frame;
  const stride = centred ? strideOf(frame, head.rows, head.columns) : 1;
  const axes = axesOf(frame, stride, target.height, target.width);
  const values = centred ? head.data : allNetworkScores(head, frame);
  const columns = centred ? head.columns : frame.inputWidth;
  interpolateInto(target, { data: values, columns, ...axes }, centred ? quickSigmoid : undefined);
}

function allNetworkScores(head: Head, frame: Frame): Float32Array {
  const { inputHeight: height, inputWidth: width } = frame;
  const scores = { data: new Float32Array(height * width), height, width };
  const rowTaps = networkTaps(head.rows, height);
  const columnTaps = networkTaps(head.columns, width);
  interpolateInto(
    scores,
    { data: head.data, columns: head.columns, rowTaps, columnTaps },
    quickSigmoid,
  );
  return scores.data;
}

function interpolateInto(
  target: Raster,
  { data, columns, rowTaps, columnTaps }: Values,
  activate: ((value: number) => number) | undefined,
): void {
  const { low, high, weight } = columnTaps;
  const line = new Float32Array(columns);
  let out = 0;
  for (let row = 0; row < rowTaps.low.length; row++) {
    const upper = rowTaps.low[row] * columns;
    const lower = rowTaps.high[row] * columns;
    const down = rowTaps.weight[row];
    for (let column = 0; column < columns; column++) {
      const value = data[upper + column];
      line[column] = value + (data[lower + column] - value) * down;
    }
    for (let x = 0; x < low.length; x++) {
      const left = line[low[x]];
      const value = left + (line[high[x]] - left) * weight[x];
      target.data[out++] = activate === undefined ? value : activate(value);
    }
  }
}

const TABLE_REACH = 16;
const TABLE_STEPS = 64;
const SIGMOIDS = Float32Array.from({ length: 2 * TABLE_REACH * TABLE_STEPS + 2 }, (_, index) =>
  sigmoid(index / TABLE_STEPS - TABLE_REACH),
);

/** The sigmoid by table, within 1e-5: four times as fast as `Math.exp`. */
export function quickSigmoid(value: number): number {
  const place = (value + TABLE_REACH) * TABLE_STEPS;
  if (!(place > 0)) return 0;
  if (place >= 2 * TABLE_REACH * TABLE_STEPS) return 1;
  const index = place | 0;
  const low = SIGMOIDS[index];
  return low + (SIGMOIDS[index + 1] - low) * (place - index);
}
