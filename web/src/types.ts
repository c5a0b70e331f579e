/** Public types: what goes in, and what a call answers. Shapes are those of BodyPix 2.2. */

import type { PartName } from './body.ts';

/** What can be segmented. `VideoFrame`s and `ImageBitmap`s given by the caller stay open. */
export type ImageInput =
  | ImageData
  | HTMLImageElement
  | HTMLCanvasElement
  | HTMLVideoElement
  | OffscreenCanvas
  | ImageBitmap
  | VideoFrame;

/** The share of the image's size at which the network works: a name, or a number from 0.1 to 2. */
export type InternalResolution = number | 'low' | 'medium' | 'high' | 'full';

export type Architecture = 'MobileNetV1' | 'ResNet50';
export type OutputStride = 8 | 16 | 32;
export type Multiplier = 0.5 | 0.75 | 1.0;
export type QuantBytes = 1 | 2 | 4;

/** Which processor runs the network. */
export type Backend = 'wasm' | 'webgpu';

/** The options of BodyPix 2.2's `load`, then our own. */
export interface ModelConfig {
  architecture?: Architecture;
  outputStride?: OutputStride;
  multiplier?: Multiplier;
  quantBytes?: QuantBytes;
  /** Address of a `.onnx` file made by `bodypix models convert`, or of our own weights. */
  modelUrl?: string;
  /** Folder of the built package's files (worker, wasm, models); default: where the script is. */
  assetBase?: string;
  /** "auto" (default): WebGPU if it gives the same answer as WASM on one image, and sooner. */
  backend?: 'auto' | Backend;
  /** Threads of the WASM backend, at most one for each core; default: all cores, at most 4. */
  threads?: number;
  /** Called while files are fetched: bytes so far, and in total where the server tells. */
  onProgress?: (loaded: number, total: number | undefined) => void;
}

/** Options of `segmentPerson` and `segmentPersonParts`, with BodyPix's defaults. */
export interface PersonInferenceConfig {
  /** Segment the mirrored image; answers are in the given image's frame. Default false. */
  flipHorizontal?: boolean;
  /** Default "medium". */
  internalResolution?: InternalResolution;
  /** 0..1: person pixels have a probability strictly above it. Default 0.7. */
  segmentationThreshold?: number;
  /** At most so many poses. Default 10. */
  maxDetections?: number;
  /** 0..1: least score of a pose's root keypoint. Default 0.4. */
  scoreThreshold?: number;
  /** Above 0, network pixels: no two poses have a root nearer than this. Default 20. */
  nmsRadius?: number;
  /** Our own: false leaves `allPoses` empty and spares the time of finding them. Default true. */
  poses?: boolean;
  /** Our own: also answer `alpha`, a soft mask for smooth edges. Default false. */
  alpha?: boolean;
}

/** Options of `segmentMultiPerson` and `segmentMultiPersonParts`. */
export interface MultiPersonInferenceConfig extends Omit<PersonInferenceConfig, 'poses'> {
  /** 0..1: keypoints below it do not help pixels find their person. Default 0.3. */
  minKeypointScore?: number;
  /** 1..20: how often a pixel's way to a keypoint is refined. Default 10. */
  refineSteps?: number;
}

/** Image pixels; x to the right, y down. */
export interface Position {
  x: number;
  y: number;
}

export interface Keypoint {
  score: number;
  /** One of `KEYPOINT_NAMES`; left and right are the person's own. */
  part: string;
  position: Position;
}

export interface Pose {
  score: number;
  /** 17, in the order of `KEYPOINT_NAMES`. Points may lie outside the image. */
  keypoints: Keypoint[];
}

/** A soft mask: opacity 0..255, half at the threshold, on a grid that covers the whole image. */
export interface Alpha {
  width: number;
  height: number;
  data: Uint8ClampedArray<ArrayBuffer>;
}

interface Sized {
  width: number;
  height: number;
}

/** 1 where anybody is, else 0; `data` has `width * height` values, row by row. */
export interface SemanticPersonSegmentation extends Sized {
  data: Uint8Array<ArrayBuffer>;
  allPoses: Pose[];
  alpha?: Alpha;
}

/** Part ids 0..23 (see `PART_CHANNELS`), -1 where nobody is. */
export interface SemanticPartSegmentation extends Sized {
  data: Int32Array<ArrayBuffer>;
  allPoses: Pose[];
  alpha?: Alpha;
}

/** One person of several: 1 where this person is, else 0. */
export interface PersonSegmentation extends Sized {
  data: Uint8Array<ArrayBuffer>;
  pose: Pose;
  /** Of all people together, the same object in every person of a picture. */
  alpha?: Alpha;
}

/** One person of several: this person's part ids, -1 elsewhere. */
export interface PartSegmentation extends Sized {
  data: Int32Array<ArrayBuffer>;
  pose: Pose;
  alpha?: Alpha;
}

export type AnyPersonSegmentation = SemanticPersonSegmentation | PersonSegmentation;
export type AnyPartSegmentation = SemanticPartSegmentation | PartSegmentation;
export type AnySegmentation = AnyPersonSegmentation | AnyPartSegmentation;

/** Red, green, blue and alpha, 0..255. */
export interface Color {
  r: number;
  g: number;
  b: number;
  a: number;
}

/** Milliseconds of one call. */
export interface Timing {
  /** Picture to network input: reading its pixels, resizing. */
  prepare: number;
  network: number;
  /** Heads to answer, smoothing included. */
  decode: number;
  /** From the call to the answer, waiting and the way to the worker and back included. */
  total: number;
}

/** What a model file says about itself. */
export interface ModelInfo {
  name: string;
  version: string;
  architecture: Architecture;
  multiplier: number;
  outputStride: OutputStride;
  quantBytes: number;
  preprocessing: 'mobilenet' | 'resnet50';
  personHead: string;
  partsHead: string;
  licence: string;
}

/** How the processor was chosen. */
export interface BackendReport {
  backend: Backend;
  threads: number;
  /** Why this one: for people, and for bug reports. */
  reason: string;
}

export interface StreamOptions extends MultiPersonInferenceConfig {
  /** Answer part maps. Default false. */
  parts?: boolean;
  /** Answer a list of people. Default false. */
  people?: boolean;
  /** Find poses also where `people` is false. Default true. */
  poses?: boolean;
  /** Steady masks from frame to frame. Default true. */
  smoothing?: boolean;
}

export type StreamResult<Options extends StreamOptions> = Options extends { people: true }
  ? Options extends { parts: true }
    ? PartSegmentation[]
    : PersonSegmentation[]
  : Options extends { parts: true }
    ? SemanticPartSegmentation
    : SemanticPersonSegmentation;

export type { PartName };
