/**
 * Person probabilities that neither flicker where the picture stands still nor lag where it moves.
 *
 * The formula of `bodypix/temporal/smoothing.py`, which explains it, on a grid whose longer side
 * has at most 320 cells, 480 in large pictures. `p` and `g` are the new probability and picture, shrunk; `s`, `q` and `r`
 * the smoothed probability, the given one and the picture that `s` stands for, of the frame before:
 *
 *     c = blur(max over R, G, B of |g - r|)         n = min(12, lower quartile of c)
 *     m = ramp(c - n, still, moving)                b = ramp(|median(p, q, s) - s|, 0.25, 0.75)
 *     w = steady + (1 - steady) max(m, b)
 *     s' = s + w (p - s)    r' = r + w (g - r)      q' = p
 *     answer = clamp(probability + enlarged(s' - p), 0, 1)
 */

import type { Raster } from '../decoding/person.ts';
import { centredTaps } from '../geometry.ts';
import type { Pixels } from '../preprocessing.ts';
import { remembered } from '../remember.ts';
import { shrinkPixels, shrinkRaster, shrinkToLuma, type Picture } from './area.ts';
import { isCut, isFeatureless, newScene, type Scene } from './cuts.ts';

/** Most cells along the longer side: of pictures up to 640 pixels, of large ones. */
const GRID = [320, 480] as const;
const DOUBT = 0.25;
const CERTAINTY = 0.75;
const MOST_NOISE = 12;
/** Rows and columns between the cells that the noise is taken from. */
const NOISE_STEP = 4;
/** The noise is told to this part of a level: counting is faster than sorting. */
const NOISE_BINS = 32;

/** How strongly to smooth. */
export interface SmoothingOptions {
  /** 0..1, below 1: share of the past where the picture stands still. */
  strength: number;
  /** Levels of change, beyond what changes everywhere, up to which a picture stands still. */
  still: number;
  /** Levels from which it moves, and only the new frame counts. */
  moving: number;
}

export const SMOOTHING: SmoothingOptions = { strength: 0.9, still: 5, moving: 15 };

/** What one frame leaves for the next. `smooth` writes over it. */
export interface SmoothingState {
  /** Image pixels. */
  width: number;
  height: number;
  /** `s`, `q` and `r` of the formula. */
  smoothed: Raster;
  given: Raster;
  picture: Picture;
  scene: Scene;
  /** How many frames were smoothed together: 1 for the first and after a cut. */
  frames: number;
  /** Memory for the next frame's `p`, `g` and scene, and for what `weigh` works out. */
  next: { given: Raster; picture: Picture; scene: Scene };
  change: Float32Array;
  blurred: Float32Array;
  weight: Float32Array;
}

const enlarging = remembered(centredTaps);

function raster(width: number, height: number): Raster {
  return { data: new Float32Array(width * height), width, height };
}

function newState(width: number, height: number): SmoothingState {
  const longest = Math.max(width, height);
  const cells = Math.min(Math.max(GRID[0], Math.floor(longest / 2)), GRID[1]);
  const factor = Math.max(1, longest / cells);
  const w = Math.max(1, Math.floor(width / factor + 0.5));
  const h = Math.max(1, Math.floor(height / factor + 0.5));
  const picture = (): Picture => ({ data: new Float32Array(3 * w * h), width: w, height: h });
  return {
    width,
    height,
    smoothed: raster(w, h),
    given: raster(w, h),
    picture: picture(),
    scene: newScene(),
    frames: 0,
    next: { given: raster(w, h), picture: picture(), scene: newScene() },
    change: new Float32Array(w * h),
    blurred: new Float32Array(w * h),
    weight: new Float32Array(w * h),
  };
}

/**
 * Smooth the probability of a frame, in place.
 *
 * @param state - what the call for the frame before returned, or undefined for the first frame.
 * @param probability - 0..1, of this frame alone, one for each pixel; becomes the smoothed one.
 * @param pixels - the frame, of the same size.
 * @param flip - whether the probability is that of the mirrored frame.
 * @returns the state for the next frame.
 */
export function smooth(
  state: SmoothingState | undefined,
  probability: Raster,
  pixels: Pixels,
  flip: boolean,
  options: SmoothingOptions = SMOOTHING,
): SmoothingState {
  const { width, height } = probability;
  const known = state?.width === width && state.height === height ? state : undefined;
  const current = known ?? newState(width, height);
  const { next } = current;
  shrinkRaster(probability, next.given);
  shrinkPixels(pixels, flip, next.picture);
  shrinkToLuma(next.picture, next.scene);
  if (known === undefined || isCut(current.scene, next.scene)) {
    current.smoothed.data.set(next.given.data);
    current.picture.data.set(next.picture.data);
    swapScenes(current);
    current.frames = 1;
  } else {
    weigh(current, options);
    follow(current);
    enlarge(current, probability);
    // A frame that shows nothing (a white flash) is nothing to compare the next one with.
    if (!isFeatureless(next.scene)) swapScenes(current);
    current.frames++;
  }
  [current.given, next.given] = [next.given, current.given];
  return current;
}

function swapScenes(state: SmoothingState): void {
  [state.scene, state.next.scene] = [state.next.scene, state.scene];
}

/** How much of the new frame counts in each cell, from 1 - strength to 1. */
function weigh(state: SmoothingState, { strength, still, moving }: SmoothingOptions): void {
  const { smoothed, given, picture, next, change, blurred, weight } = state;
  const { width, height } = given;
  for (let cell = 0, at = 0; cell < change.length; cell++, at += 3) {
    const red = Math.abs(next.picture.data[at] - picture.data[at]);
    const green = Math.abs(next.picture.data[at + 1] - picture.data[at + 1]);
    const blue = Math.abs(next.picture.data[at + 2] - picture.data[at + 2]);
    change[cell] = Math.max(red, green, blue);
  }
  blur(change, width, height, blurred);
  const noise = noiseOf(blurred, width, height);
  const low = still + noise;
  const motionScale = 1 / (moving - still);
  const beliefScale = 1 / (CERTAINTY - DOUBT);
  for (let cell = 0; cell < weight.length; cell++) {
    const motion = (blurred[cell] - low) * motionScale;
    const p = next.given.data[cell];
    const q = given.data[cell];
    const s = smoothed.data[cell];
    // How far the median of the three is from s: 0 if s lies between the other two.
    const apart = s < p ? Math.min(p, q) - s : s - Math.max(p, q);
    const belief = (apart - DOUBT) * beliefScale;
    const fresh = motion > belief ? motion : belief;
    weight[cell] = 1 - strength + strength * (fresh < 0 ? 0 : fresh > 1 ? 1 : fresh);
  }
}

/** The mean of 3 x 3 cells; outside the grid its nearest cell counts. */
function blur(values: Float32Array, width: number, height: number, target: Float32Array): void {
  for (let y = 0; y < height; y++) {
    const above = Math.max(y - 1, 0) * width;
    const here = y * width;
    const below = Math.min(y + 1, height - 1) * width;
    let left = values[above] + values[here] + values[below];
    let middle = left;
    for (let x = 0; x < width; x++) {
      const next = Math.min(x + 1, width - 1);
      const right = values[above + next] + values[here + next] + values[below + next];
      target[here + x] = (left + middle + right) / 9;
      left = middle;
      middle = right;
    }
  }
}

/** Of every fourth row and column, the value with a quarter of them below; at most `MOST_NOISE`. */
function noiseOf(values: Float32Array, width: number, height: number): number {
  const bins = new Int32Array(MOST_NOISE * NOISE_BINS + 1);
  let count = 0;
  for (let y = 0; y < height; y += NOISE_STEP) {
    for (let x = 0; x < width; x += NOISE_STEP, count++) {
      bins[Math.round(Math.min(values[y * width + x], MOST_NOISE) * NOISE_BINS)]++;
    }
  }
  let below = Math.floor(count / 4);
  let bin = 0;
  while (below >= bins[bin]) below -= bins[bin++];
  return bin / NOISE_BINS;
}

function follow({ smoothed, picture, next, weight }: SmoothingState): void {
  for (let cell = 0; cell < smoothed.data.length; cell++) {
    const share = weight[cell];
    smoothed.data[cell] += share * (next.given.data[cell] - smoothed.data[cell]);
    for (let at = 3 * cell; at < 3 * cell + 3; at++) {
      picture.data[at] += share * (next.picture.data[at] - picture.data[at]);
    }
  }
}

/** Add the difference between the smoothed and the given probability to that of the frame. */
function enlarge({ smoothed, next, change }: SmoothingState, probability: Raster): void {
  const { width, height } = smoothed;
  const rows = enlarging(height, probability.height);
  const columns = enlarging(width, probability.width);
  const difference = change;
  for (let cell = 0; cell < difference.length; cell++) {
    difference[cell] = smoothed.data[cell] - next.given.data[cell];
  }
  const line = new Float32Array(width);
  for (let y = 0, at = 0; y < probability.height; y++) {
    const upper = rows.low[y] * width;
    const lower = rows.high[y] * width;
    const down = rows.weight[y];
    for (let x = 0; x < width; x++) {
      const value = difference[upper + x];
      line[x] = value + (difference[lower + x] - value) * down;
    }
    for (let x = 0; x < probability.width; x++, at++) {
      const value = line[columns.low[x]];
      const add = value + (line[columns.high[x]] - value) * columns.weight[x];
      const sum = probability.data[at] + add;
      probability.data[at] = sum < 0 ? 0 : sum > 1 ? 1 : sum;
    }
  }
}
