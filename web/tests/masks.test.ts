/** Segmentations to pictures: the same as Python's. */

import './image-data.ts';

import { describe, expect, test } from 'vitest';

import { COLOR_SCALES } from '../src/body.ts';
import {
  toColoredPartImageData,
  toColoredPartMask,
  toMask,
  toMaskImageData,
} from '../src/drawing/masks.ts';
import { InvalidArgumentError } from '../src/errors.ts';
import type { SemanticPartSegmentation, SemanticPersonSegmentation } from '../src/types.ts';
import { bytes, load, manifest } from './fixtures.ts';

const files = manifest.masks;
const [height, width] = files.person.shape;
const person: SemanticPersonSegmentation = {
  width,
  height,
  data: bytes(files.person),
  allPoses: [],
};
const parts: SemanticPartSegmentation = {
  width,
  height,
  data: load(files.parts) as Int32Array<ArrayBuffer>,
  allPoses: [],
};
const RED = { r: 255, g: 0, b: 0, a: 255 };
const CLEAR = { r: 0, g: 0, b: 0, a: 0 };

function same(got: ImageData | null, expected: Uint8Array): boolean {
  return got !== null && Buffer.from(got.data.buffer).equals(Buffer.from(expected));
}

describe('toMask', () => {
  test('by default is black where nobody is', () => {
    expect(same(toMask(person), bytes(files.plain))).toBe(true);
  });

  test('draws the contour of the original', () => {
    expect(same(toMask(person, RED, CLEAR, true), bytes(files.contour))).toBe(true);
  });

  test('takes part ids as foreground', () => {
    expect(same(toMask(parts, CLEAR, RED, true, [0, 1]), bytes(files.face))).toBe(true);
  });

  test('of several people is that of all of them', () => {
    const left = person.data.map((value, at) => (at % width < 300 ? value : 0));
    const right = person.data.map((value, at) => (at % width < 300 ? 0 : value));
    const people = [left, right].map((data) => ({ ...person, data }));
    expect(same(toMask(people), bytes(files.plain))).toBe(true);
  });

  test('of nobody is null', () => {
    expect(toMask([])).toBeNull();
  });
});

describe('toColoredPartMask', () => {
  test('is a rainbow on white', () => {
    expect(same(toColoredPartMask(parts), bytes(files.colored))).toBe(true);
  });

  test('takes other colours', () => {
    expect(same(toColoredPartMask([parts], COLOR_SCALES.warm), bytes(files.warm))).toBe(true);
  });

  test('misses no colour in silence', () => {
    expect(() => toColoredPartMask(parts, [[1, 2, 3]])).toThrow(InvalidArgumentError);
  });

  test('of nobody is null', () => {
    expect(toColoredPartMask([])).toBeNull();
  });
});

describe('the names of BodyPix 1', () => {
  test('mask the background or the person', () => {
    expect(same(toMaskImageData(person), bytes(files.plain))).toBe(true);
    const inverted = toMaskImageData(person, false);
    const at = person.data.indexOf(1);
    expect([...inverted.data.slice(4 * at, 4 * at + 4)]).toEqual([0, 0, 0, 255]);
    expect(inverted.data[3]).toBe(0);
  });

  test('colour parts', () => {
    const got = toColoredPartImageData(parts, COLOR_SCALES.rainbow);
    expect(same(got, bytes(files.colored))).toBe(true);
  });
});
