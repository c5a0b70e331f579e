/** Settings to a call of the library, and its answers in one shape for masks, parts and people. */

import type {
  AnySegmentation,
  Pose,
  SegmentationStream,
  SemanticPartSegmentation,
  SemanticPersonSegmentation,
  PartSegmentation,
  PersonSegmentation,
  StreamOptions,
} from '../src/index.ts';
import { needsAlpha, needsParts, showsPoses, type Settings } from './settings.ts';
import type { Frame } from './sources.ts';

/** A frame and what was found in it. */
export interface Picture {
  frame: Frame;
  /** One for all people together, or one for each. */
  segmentations: AnySegmentation[];
  poses: Pose[];
  /** What it was computed for: it can be painted so, whatever was chosen since. */
  settings: Settings;
  /** When the frame arrived, on the clock of `performance.now()`. */
  began: number;
}

/** The library's options that these settings stand for. */
export const streamOptions = (settings: Settings, moving: boolean): StreamOptions => ({
  parts: needsParts(settings.effect),
  people: settings.people === 'each',
  poses: showsPoses(settings),
  alpha: needsAlpha(settings.effect),
  smoothing: moving && settings.smoothing,
  segmentationThreshold: settings.threshold,
  internalResolution: settings.resolution,
  maxDetections: settings.maxDetections,
  scoreThreshold: settings.scoreThreshold,
  minKeypointScore: settings.minKeypointScore,
  nmsRadius: settings.nmsRadius,
  refineSteps: settings.refineSteps,
});

/** Whether a picture computed for `before` can be painted as `after` wants it. */
export const sameAnswer = (before: Settings, after: Settings): boolean =>
  before.model === after.model &&
  before.backend === after.backend &&
  JSON.stringify(streamOptions(before, true)) === JSON.stringify(streamOptions(after, true));

/** Find people in a frame. The frame stays the caller's, and is part of the answer. */
export async function compute(
  stream: SegmentationStream,
  frame: Frame,
  settings: Settings,
  moving: boolean,
): Promise<Picture> {
  const began = performance.now();
  stream.options = streamOptions(settings, moving);
  const answer: Answer = await stream.next(frame);
  const segmentations = Array.isArray(answer) ? answer : [answer];
  const poses = Array.isArray(answer) ? answer.map(({ pose }) => pose) : answer.allPoses;
  return { frame, segmentations, poses, settings, began };
}

type Answer =
  | SemanticPersonSegmentation
  | SemanticPartSegmentation
  | PersonSegmentation[]
  | PartSegmentation[];
