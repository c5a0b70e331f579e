/**
 * Pixels in, answers out: what runs in the worker.
 *
 * One picture at a time. Memory that does not leave (the network's input, rasters of a film) is
 * used again; answers are new memory, for they are handed over to the page.
 */

import { MIRRORED_PARTS } from './body.ts';
import { assignInstances } from './decoding/instances.ts';
import { partMap } from './decoding/parts.ts';
import { personMask, personProbability, type Raster } from './decoding/person.ts';
import { findPoses, flipPoseHorizontal } from './decoding/poses.ts';
import type { Engine } from './engine.ts';
import { frameOf, type Frame } from './geometry.ts';
import { LONG_OFFSETS, POSE_HEADS, type Head, type Heads } from './heads.ts';
import type { InferenceOptions } from './options.ts';
import { fillNetworkInput, type Pixels } from './preprocessing.ts';
import { shrinkRaster } from './temporal/area.ts';
import type { Smoother } from './temporal/smoother.ts';
import type { Alpha, Pose } from './types.ts';

/** What to answer: for all together or for each person, masks or part maps. */
export interface Task {
  people: boolean;
  parts: boolean;
}

/** The answer to one picture; of `people` one mask or part map each, else one for all. */
export interface Answer {
  width: number;
  height: number;
  /** 0 and 1 as bytes, or part ids -1..23 as int32. */
  data: (Uint8Array<ArrayBuffer> | Int32Array<ArrayBuffer>)[];
  /** Of people: one each. Else: all poses. */
  poses: Pose[];
  alpha?: Alpha;
  /** Milliseconds. */
  prepare: number;
  network: number;
  decode: number;
}

/** Longer side of the soft masks: edges are wider than a pixel, so that nothing is lost. */
const ALPHA_SIDE = 320;
/** A soft mask goes from clear to opaque between so much below and above the threshold. */
const SOFTNESS = 0.25;

export class Segmenter {
  private input = new Float32Array(0);

  constructor(private readonly engine: Engine) {}

  /**
   * Segment one picture.
   *
   * @param smoother - of a film: what it has seen so far; it is changed.
   */
  async segment(
    pixels: Pixels,
    task: Task,
    options: InferenceOptions,
    smoother?: Smoother,
  ): Promise<Answer> {
    const { info } = this.engine;
    const started = performance.now();
    const frame = frameOf(
      pixels.height,
      pixels.width,
      options.internalResolution,
      info.outputStride,
      info.personHead === 'segments_fine',
    );
    const size = frame.inputHeight * frame.inputWidth * 3;
    if (this.input.length !== size) this.input = new Float32Array(size);
    fillNetworkInput(pixels, frame, info.preprocessing, options.flipHorizontal, this.input);
    const prepared = performance.now();

    const names = this.headsOf(task, options);
    const heads = await this.engine.run(names, this.input, frame.inputHeight, frame.inputWidth);
    const ran = performance.now();

    const answer = this.decode(pixels, heads, frame, task, options, smoother);
    const decoded = performance.now();
    return {
      width: frame.width,
      height: frame.height,
      ...answer,
      prepare: prepared - started,
      network: ran - prepared,
      decode: decoded - ran,
    };
  }

  /** Heads that a call reads, always in one order, so that equal sets share a session. */
  private headsOf(task: Task, options: Pick<InferenceOptions, 'poses'>): string[] {
    const { personHead, partsHead } = this.engine.info;
    return [
      personHead,
      ...(task.parts ? [partsHead] : []),
      ...(task.people || options.poses ? POSE_HEADS : []),
      ...(task.people ? [LONG_OFFSETS] : []),
    ];
  }

  private decode(
    pixels: Pixels,
    heads: Heads,
    frame: Frame,
    task: Task,
    options: InferenceOptions,
    smoother: Smoother | undefined,
  ): Pick<Answer, 'data' | 'poses' | 'alpha'> {
    const { info } = this.engine;
    const person = heads[info.personHead];
    const { mask, alpha } = personMasks(person, frame, pixels, options, smoother);
    const parts = task.parts ? partMap(heads[info.partsHead], mask, frame) : undefined;
    const poses =
      task.people || options.poses ? findPoses(heads, frame, info.outputStride, options) : [];
    const { data, kept } = task.people
      ? this.people(heads, frame, options, mask, parts, poses)
      : { data: [parts ?? mask], kept: poses };
    if (!options.flipHorizontal) return { data, poses: kept, alpha };
    for (const array of data) unflip(array, frame.width);
    if (alpha !== undefined) unflip(alpha.data, alpha.width);
    return { data, poses: kept.map((pose) => flipPoseHorizontal(pose, frame.width, true)), alpha };
  }

  private people(
    heads: Heads,
    frame: Frame,
    options: InferenceOptions,
    mask: Uint8Array,
    parts: Int32Array | undefined,
    poses: readonly Pose[],
  ): { data: Answer['data']; kept: Pose[] } {
    const kept = poses.filter((pose) => pose.score >= options.scoreThreshold);
    if (kept.length === 0) return { data: [], kept };
    const { outputStride } = this.engine.info;
    const owners = assignInstances(mask, heads[LONG_OFFSETS], kept, frame, outputStride, options);
    const data = kept.map((_, index) => {
      if (parts === undefined) {
        const own = new Uint8Array(owners.length);
        for (let at = 0; at < owners.length; at++) own[at] = owners[at] === index ? 1 : 0;
        return own;
      }
      const own = new Int32Array(owners.length);
      for (let at = 0; at < owners.length; at++) own[at] = owners[at] === index ? parts[at] : -1;
      return own;
    });
    return { data, kept };
  }
}

/** Bring an answer about the mirrored picture into the given one's frame. */
function unflip(data: Uint8Array | Int32Array | Uint8ClampedArray, width: number): void {
  for (let start = 0; start < data.length; start += width) {
    data.subarray(start, start + width).reverse();
  }
  if (data instanceof Int32Array) {
    for (let at = 0; at < data.length; at++) {
      if (data[at] >= 0) data[at] = MIRRORED_PARTS[data[at]];
    }
  }
}

/** The mask, and the soft one if it was asked for; of a film after smoothing. */
function personMasks(
  person: Head,
  frame: Frame,
  pixels: Pixels,
  options: InferenceOptions,
  smoother: Smoother | undefined,
): { mask: Uint8Array<ArrayBuffer>; alpha: Alpha | undefined } {
  const { segmentationThreshold: threshold, flipHorizontal, alpha } = options;
  const [width, height] = alphaSize(frame.width, frame.height);
  if (smoother === undefined) {
    const mask = personMask(person, frame, threshold);
    if (!alpha) return { mask, alpha: undefined };
    const soft: Raster = { data: new Float32Array(width * height), width, height };
    personProbability(person, frame, soft);
    return { mask, alpha: toAlpha(soft, threshold) };
  }
  const probability = smoother.next(person, frame, pixels, flipHorizontal);
  const limit = Math.fround(threshold);
  const mask = new Uint8Array(probability.data.length);
  for (let at = 0; at < mask.length; at++) mask[at] = probability.data[at] > limit ? 1 : 0;
  if (!alpha) return { mask, alpha: undefined };
  const soft: Raster = { data: new Float32Array(width * height), width, height };
  shrinkRaster(probability, soft);
  return { mask, alpha: toAlpha(soft, threshold) };
}

function alphaSize(width: number, height: number): [number, number] {
  const factor = Math.max(1, Math.max(width, height) / ALPHA_SIDE);
  return [Math.max(1, Math.round(width / factor)), Math.max(1, Math.round(height / factor))];
}

/** Probabilities to opacity: half at the threshold, rising smoothly around it. */
function toAlpha({ data, width, height }: Raster, threshold: number): Alpha {
  const bytes = new Uint8ClampedArray(data.length);
  for (let at = 0; at < data.length; at++) {
    const place = (data[at] - threshold) / (2 * SOFTNESS) + 0.5;
    const share = place < 0 ? 0 : place > 1 ? 1 : place;
    bytes[at] = 255 * share * share * (3 - 2 * share);
  }
  return { data: bytes, width, height };
}
