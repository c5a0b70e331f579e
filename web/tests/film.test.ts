/** Smoothing and cuts: the same as Python on the same film. */

import { describe, expect, test } from 'vitest';

import { shrinkPixels, shrinkRaster, shrinkToLuma } from '../src/temporal/area.ts';
import { isCut, isFeatureless, newScene } from '../src/temporal/cuts.ts';
import { smooth, type SmoothingState } from '../src/temporal/smoothing.ts';
import { floats, largestDifference, manifest, pixels } from './fixtures.ts';

const { frames, cuts } = manifest.film;

function raster(values: Float32Array, shape: number[]) {
  return { data: values, width: shape[1], height: shape[0] };
}

describe('the film of the fixtures', () => {
  test('is smoothed as in Python', () => {
    let state: SmoothingState | undefined;
    frames.forEach((frame, index) => {
      const probability = raster(floats(frame.probability), frame.probability.shape);
      state = smooth(state, probability, pixels(frame.pixels), false);
      expect(state.frames, `frame ${index}`).toBe(frame.frames);
      expect(
        largestDifference(probability.data, floats(frame.answer)),
        `frame ${index}`,
      ).toBeLessThan(0.03);
    });
    expect(frames.some((frame) => frame.frames > 5)).toBe(true);
    expect(cuts.some(Boolean)).toBe(true);
  });

  test('mirrored is smoothed to its mirror image', () => {
    let straight: SmoothingState | undefined;
    let mirrored: SmoothingState | undefined;
    for (const frame of frames.slice(0, 5)) {
      const { shape } = frame.probability;
      const probability = raster(floats(frame.probability), shape);
      const turned = raster(floats(frame.probability), shape);
      mirror(turned.data, shape[1]);
      straight = smooth(straight, probability, pixels(frame.pixels), false);
      mirrored = smooth(mirrored, turned, pixels(frame.pixels), true);
      mirror(turned.data, shape[1]);
      // The noise is measured at every fourth column, which the mirror moves.
      expect(largestDifference(turned.data, probability.data)).toBeLessThan(0.01);
    }
  });

  test('of another size begins anew', () => {
    const [frame] = frames;
    const probability = raster(floats(frame.probability), frame.probability.shape);
    const state = smooth(undefined, probability, pixels(frame.pixels), false);
    const small = { data: new Float32Array(60 * 80).fill(0.5), width: 80, height: 60 };
    const picture = { data: new Uint8Array(4 * 60 * 80), width: 80, height: 60 };
    const next = smooth(state, small, picture, false);
    expect(next.frames).toBe(1);
    expect(small.data.every((value) => value === 0.5)).toBe(true);
  });
});

function mirror(values: Float32Array, width: number): void {
  for (let start = 0; start < values.length; start += width)
    values.subarray(start, start + width).reverse();
}

test('a still picture keeps its mask against one bad frame', () => {
  const picture = { data: new Uint8Array(4 * 60 * 80).fill(100), width: 80, height: 60 };
  const constant = (value: number) => ({
    data: new Float32Array(60 * 80).fill(value),
    width: 80,
    height: 60,
  });
  const state = smooth(undefined, constant(1), picture, false);
  const bad = constant(0);
  smooth(state, bad, picture, false);
  expect(bad.data[0]).toBeCloseTo(0.9, 5);
});

describe('scenes', () => {
  function scene(value: (x: number, y: number) => number) {
    const result = newScene();
    for (let at = 0; at < result.data.length; at++)
      result.data[at] = value(at % 64, Math.floor(at / 64));
    return result;
  }
  const waves = scene(
    (x, y) => 128 + 60 * Math.sin(x / 3) * Math.cos(y / 4) + 20 * Math.sin((x * y) / 50),
  );
  const shifted = scene((x, y) => waves.data[Math.min(y + 6, 47) * 64 + Math.min(x + 9, 63)]);
  const other = scene((x, y) => 128 + 60 * Math.cos(x / 2 + y / 5) - 40 * Math.sin((x - y) / 7));
  const flat = scene(() => 255);

  test('brighter is no cut', () => {
    expect(
      isCut(
        waves,
        scene((x, y) => waves.data[y * 64 + x] * 1.4),
      ),
    ).toBe(false);
  });

  test('shifted is no cut', () => {
    expect(isCut(waves, shifted)).toBe(false);
  });

  test('something else is', () => {
    expect(isCut(waves, other)).toBe(true);
  });

  test('a flat picture is none, and shows nothing', () => {
    expect(isCut(waves, flat)).toBe(false);
    expect(isFeatureless(flat)).toBe(true);
    expect(isFeatureless(waves)).toBe(false);
  });
});

describe('shrinking', () => {
  test('keeps the mean', () => {
    const source = {
      data: Float32Array.from({ length: 7 * 5 }, (_, at) => at),
      width: 7,
      height: 5,
    };
    const target = { data: new Float32Array(6), width: 3, height: 2 };
    shrinkRaster(source, target);
    expect(target.data.reduce((sum, value) => sum + value, 0) / 6).toBeCloseTo(17, 5);
    expect(target.data[0]).toBeLessThan(target.data[5]);
  });

  test('mirrors pixels, and weighs colours by how bright they look', () => {
    const data = Uint8Array.from([255, 0, 0, 255, 0, 255, 0, 255]);
    const picture = { data: new Float32Array(6), width: 2, height: 1 };
    shrinkPixels({ data, width: 2, height: 1 }, true, picture);
    expect([...picture.data]).toEqual([0, 255, 0, 255, 0, 0]);
    const luma = { data: new Float32Array(2), width: 2, height: 1 };
    shrinkToLuma(picture, luma);
    expect([...luma.data]).toEqual([150, 76]);
  });
});
