/** BodyPix in the browser: person masks, 24 body parts and poses, on the visitor's own device. */

export {
  COLOR_SCALES,
  KEYPOINT_NAMES,
  PART_CHANNELS,
  V1_PART_CHANNELS,
  V2_TO_V1_PARTS,
} from './body.ts';
export type { PartName, RGB } from './body.ts';
export {
  blurBodyPart,
  drawBokehEffect,
  drawMask,
  drawPixelatedMask,
  replaceBackground,
} from './drawing/effects.ts';
export {
  toColoredPartImageData,
  toColoredPartMask,
  toMask,
  toMaskImageData,
} from './drawing/masks.ts';
export { drawPoses } from './drawing/poses.ts';
export type { PoseStyle } from './drawing/poses.ts';
export { renderer, setRenderer } from './drawing/renderer.ts';
export type { Renderer } from './drawing/renderer.ts';
export { flipPoseHorizontal } from './decoding/poses.ts';
export {
  BackendError,
  BodyPixError,
  ImageError,
  InvalidArgumentError,
  ModelError,
} from './errors.ts';
export { BodyPix, load } from './net.ts';
export type { V1Segmentation } from './net.ts';
export { SegmentationStream } from './stream.ts';
export type * from './types.ts';

/** The version of the package. */
export const version: string = VERSION;
