/** What Python answers; `tests/setup.ts` has it made before the tests run. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

import type { Frame } from '../src/geometry.ts';
import type { Heads } from '../src/heads.ts';
import type { Pixels, Preprocessing } from '../src/preprocessing.ts';
import type { Pose } from '../src/types.ts';

export const FOLDER = fileURLToPath(new URL('./fixtures/', import.meta.url));

export interface ArrayFile {
  file: string;
  dtype: 'uint8' | 'int16' | 'int32' | 'float32';
  shape: number[];
}

interface PoseFacts {
  score: number;
  keypoints: [number, number, number][];
}

interface DecodingCase {
  name: string;
  frame: Frame;
  stride: number;
  person: string;
  parts: string;
  heads: Record<string, ArrayFile>;
  options: { segmentation_threshold: number; score_threshold: number };
  mask: ArrayFile;
  probability: ArrayFile;
  partMap: ArrayFile;
  allPoses: PoseFacts[];
  poses: PoseFacts[];
  owners: ArrayFile;
}

interface CallCase {
  name: string;
  flip: boolean;
  pixels: ArrayFile;
  person: ArrayFile;
  parts: ArrayFile;
  allPoses: PoseFacts[];
  people: ArrayFile[];
  peopleParts: ArrayFile[];
  poses: PoseFacts[];
}

export interface Manifest {
  body: {
    parts: string[];
    v1Parts: string[];
    keypoints: string[];
    edges: [number, number][];
    skeleton: [number, number][];
    scales: Record<string, [number, number, number][]>;
    mirroredParts: number[];
    mirroredKeypoints: number[];
    v2ToV1: number[];
  };
  queue: { scores: number[]; order: number[] };
  frames: (Frame & { stride: number; resolution: number | 'medium' })[];
  inputs: {
    name: string;
    frame: Frame;
    preprocessing: Preprocessing;
    flip: boolean;
    pixels: ArrayFile;
    expected: ArrayFile;
  }[];
  decoding: DecodingCase[];
  calls: CallCase[];
  /** The same of a model without fine heads, in `coarse.onnx`. */
  coarseCalls: CallCase[];
  masks: Record<'person' | 'parts' | 'plain' | 'contour' | 'face' | 'colored' | 'warm', ArrayFile>;
  film: {
    frames: { pixels: ArrayFile; probability: ArrayFile; answer: ArrayFile; frames: number }[];
    cuts: boolean[];
  };
}

export const manifest = JSON.parse(readFileSync(join(FOLDER, 'manifest.json'), 'utf8')) as Manifest;

type Loaded =
  | Uint8Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>;

export function load(array: ArrayFile): Loaded {
  const bytes = readFileSync(join(FOLDER, array.file));
  const buffer = bytes.buffer.slice(
    bytes.byteOffset,
    bytes.byteOffset + bytes.length,
  ) as ArrayBuffer;
  switch (array.dtype) {
    case 'uint8':
      return new Uint8Array(buffer);
    case 'int16':
      return new Int16Array(buffer);
    case 'int32':
      return new Int32Array(buffer);
    case 'float32':
      return new Float32Array(buffer);
  }
}

export function floats(array: ArrayFile): Float32Array<ArrayBuffer> {
  return load(array) as Float32Array<ArrayBuffer>;
}

export function bytes(array: ArrayFile): Uint8Array<ArrayBuffer> {
  return load(array) as Uint8Array<ArrayBuffer>;
}

/** RGBA pixels of an (H, W, 4) array. */
export function pixels(array: ArrayFile): Pixels {
  const [height, width] = array.shape;
  return { data: bytes(array), width, height };
}

export function heads(arrays: Record<string, ArrayFile>): Heads {
  return Object.fromEntries(
    Object.entries(arrays).map(([name, array]) => {
      const [rows, columns, channels] = array.shape;
      return [name, { data: floats(array), rows, columns, channels }];
    }),
  );
}

/** Share of values that are equal. */
export function agreement(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (got.length !== expected.length) return 0;
  let equal = 0;
  for (let at = 0; at < got.length; at++) if (got[at] === expected[at]) equal++;
  return equal / expected.length;
}

export function largestDifference(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (got.length !== expected.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let at = 0; at < got.length; at++) {
    const difference = Math.abs(got[at] - expected[at]);
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

/** The share of numbers that differ by less than `tolerance`; 0 if there are not as many. */
export function closeShare(
  got: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
): number {
  if (got.length !== expected.length) return 0;
  let close = 0;
  for (let at = 0; at < got.length; at++) {
    if (Math.abs(got[at] - expected[at]) < tolerance) close++;
  }
  return got.length > 0 ? close / got.length : 1;
}

/** Poses as Python's facts have them, for comparing. */
export function facts(poses: readonly Pose[]): number[] {
  return poses.flatMap((pose) => [
    pose.score,
    ...pose.keypoints.flatMap(({ position, score }) => [position.x, position.y, score]),
  ]);
}

export function flatFacts(poses: readonly PoseFacts[]): number[] {
  return poses.flatMap((pose) => [pose.score, ...pose.keypoints.flat()]);
}
