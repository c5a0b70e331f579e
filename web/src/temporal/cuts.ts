/**
 * Scene cuts: does a frame show something else than the frame before?
 *
 * The rule of `bodypix/temporal/cuts.py`, which explains it: two scenes are of one take if local
 * structure is shared, in place or shifted.
 */

import type { Raster } from '../decoding/person.ts';

const ROWS = 6;
const COLUMNS = 8;
const BLOCK = 8;
const HEIGHT = ROWS * BLOCK;
const WIDTH = COLUMNS * BLOCK;
const BLOCKS = ROWS * COLUMNS;
const BLOCK_SIZE = BLOCK * BLOCK;

/** A block with less variance (levels squared) is flat: nothing in it can be recognised. */
const FLAT = 6;
const FEWEST_BLOCKS = 6;
const ALIKE = 0.5;
const SHARE = 0.35;
const SHIFTED = 0.6;
/** Rows and columns of a scene that a shift may be. */
const MARGIN = [10, 13] as const;

/** The luma, 0..255, of a frame shrunk to 64 x 48 whatever its shape. */
export type Scene = Raster;

export function newScene(): Scene {
  return { data: new Float32Array(HEIGHT * WIDTH), width: WIDTH, height: HEIGHT };
}

/** Block by block, each less its mean; and the variance of each. */
function blocksOf(scene: Scene): { values: Float32Array; variances: Float32Array } {
  const values = new Float32Array(scene.data.length);
  const variances = new Float32Array(BLOCKS);
  for (let block = 0; block < BLOCKS; block++) {
    const top = Math.floor(block / COLUMNS) * BLOCK;
    const left = (block % COLUMNS) * BLOCK;
    let sum = 0;
    for (let at = 0; at < BLOCK_SIZE; at++) {
      const value = scene.data[(top + Math.floor(at / BLOCK)) * WIDTH + left + (at % BLOCK)];
      values[block * BLOCK_SIZE + at] = value;
      sum += value;
    }
    let squares = 0;
    for (let at = block * BLOCK_SIZE; at < (block + 1) * BLOCK_SIZE; at++) {
      values[at] -= sum / BLOCK_SIZE;
      squares += values[at] * values[at];
    }
    variances[block] = squares / BLOCK_SIZE;
  }
  return { values, variances };
}

/** Whether two scenes are of different takes. */
export function isCut(previous: Scene, current: Scene): boolean {
  const before = blocksOf(previous);
  const after = blocksOf(current);
  let counted = 0;
  let alike = 0;
  for (let block = 0; block < BLOCKS; block++) {
    const a = before.variances[block];
    const b = after.variances[block];
    if (Math.min(a, b) < FLAT) continue;
    counted++;
    let product = 0;
    for (let at = block * BLOCK_SIZE; at < (block + 1) * BLOCK_SIZE; at++) {
      product += before.values[at] * after.values[at];
    }
    if (product / BLOCK_SIZE > ALIKE * Math.sqrt(a * b)) alike++;
  }
  if (counted < FEWEST_BLOCKS || alike / counted >= SHARE) return false;
  return bestShift(previous, current) <= SHIFTED;
}

/** The best correlation of the middle of one scene with any part of the other of its size. */
function bestShift(previous: Scene, current: Scene): number {
  const [rows, columns] = MARGIN;
  const height = HEIGHT - 2 * rows;
  const width = WIDTH - 2 * columns;
  const count = height * width;
  const middle = new Float32Array(count);
  let mean = 0;
  for (let at = 0; at < count; at++) {
    const y = rows + Math.floor(at / width);
    middle[at] = previous.data[y * WIDTH + columns + (at % width)];
    mean += middle[at] / count;
  }
  let variance = 0;
  for (let at = 0; at < count; at++) {
    middle[at] -= mean;
    variance += middle[at] * middle[at];
  }
  let best = 0;
  for (let top = 0; top <= 2 * rows; top++) {
    for (let left = 0; left <= 2 * columns; left++) {
      let sum = 0;
      let squares = 0;
      let product = 0;
      for (let y = 0; y < height; y++) {
        const line = (top + y) * WIDTH + left;
        for (let x = 0; x < width; x++) {
          const value = current.data[line + x];
          sum += value;
          squares += value * value;
          product += value * middle[y * width + x];
        }
      }
      const spread = squares - (sum * sum) / count;
      if (spread > 0 && variance > 0) best = Math.max(best, product / Math.sqrt(spread * variance));
    }
  }
  return best;
}

/** Whether a scene is too flat to compare others with: black, white, out of focus. */
export function isFeatureless(scene: Scene): boolean {
  const { variances } = blocksOf(scene);
  return variances.filter((variance) => variance >= FLAT).length < FEWEST_BLOCKS;
}
