/** Messages between the page and its worker. */

import type { PlainError } from '../errors.ts';
import type { Checkpoint, InferenceOptions } from '../options.ts';
import type { Answer, Task } from '../segmenter.ts';
import type { Backend, BackendReport, ModelInfo } from '../types.ts';

/** A picture on its way to the worker; bitmaps and frames are transferred and closed there. */
export interface Picture {
  source: ImageBitmap | VideoFrame | { data: Uint8ClampedArray<ArrayBuffer> };
  /** The size in which to segment it. */
  width: number;
  height: number;
}

export interface LoadRequest {
  type: 'load';
  /** Folder of onnxruntime's files and of `models/`. */
  assetBase: string;
  modelUrl: string | undefined;
  checkpoint: Checkpoint | undefined;
  backend: 'auto' | Backend;
  threads: number | undefined;
}

export interface SegmentRequest {
  type: 'segment';
  picture: Picture;
  task: Task;
  options: InferenceOptions;
  /** Number of the film that the picture belongs to, if it is to be smoothed. */
  film: number | undefined;
}

/** Forget what a film has shown so far. */
export interface ForgetRequest {
  type: 'forget';
  film: number;
}

export type Request = LoadRequest | SegmentRequest | ForgetRequest;

/** What each request is answered with. */
export interface Answers {
  load: { info: ModelInfo; report: BackendReport };
  segment: Answer;
  forget: undefined;
}

export type ToWorker = Request & { id: number };

export type FromWorker =
  | { id: number; value: Answers[keyof Answers] }
  | { id: number; error: PlainError }
  /** Bytes of the model file so far. */
  | { progress: { loaded: number; total: number | undefined } }
  /** WebGPU has been tried after loading. */
  | { settled: BackendReport };
