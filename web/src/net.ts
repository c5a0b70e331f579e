/** `load` and what it answers: the calls of BodyPix 2.2, run in a worker. */

import { InvalidArgumentError } from './errors.ts';
import { capture } from './frames.ts';
import { checkpointOf, inferenceOptions } from './options.ts';
import { SegmentationStream } from './stream.ts';
import type { Answer, Task } from './segmenter.ts';
import type {
  BackendReport,
  ImageInput,
  ModelConfig,
  ModelInfo,
  MultiPersonInferenceConfig,
  PartSegmentation,
  PersonInferenceConfig,
  PersonSegmentation,
  SemanticPartSegmentation,
  SemanticPersonSegmentation,
  StreamOptions,
  Timing,
} from './types.ts';
import { WorkerClient } from './worker/client.ts';

const WORKER_FILE = 'bodypix-worker.js';
/** Where this script lies, beside which the package's other files are looked for. */
const SCRIPT = import.meta.url;
const V1_MULTIPLIERS = [0.25, 0.5, 0.75, 1.0];

/**
 * Load a model; without arguments the one that comes with the package.
 *
 * BodyPix 2's options are checked as there. They choose a file of the models folder that has those
 * facts, and the default model where there is none; `info` tells which it is. A number is the
 * multiplier of BodyPix 1.
 *
 * @throws InvalidArgumentError, ModelError, BackendError
 */
export async function load(config: ModelConfig | number = {}): Promise<BodyPix> {
  if (typeof config === 'number') return load(fromV1(config));
  const checkpoint = checkpointOf(config);
  const assetBase = absolute(config.assetBase ?? here());
  const client = new WorkerClient(assetBase + WORKER_FILE);
  client.onProgress = config.onProgress;
  try {
    const { info, report } = await client.ask<'load'>({
      type: 'load',
      assetBase,
      modelUrl: config.modelUrl === undefined ? undefined : absolute(config.modelUrl),
      checkpoint,
      backend: config.backend ?? 'auto',
      threads: config.threads,
    });
    return new BodyPix(client, info, report);
  } catch (error) {
    client.close();
    throw error;
  }
}

function fromV1(multiplier: number): ModelConfig {
  if (!V1_MULTIPLIERS.includes(multiplier)) {
    throw new InvalidArgumentError(
      `Invalid multiplier ${multiplier}. Should be one of ${V1_MULTIPLIERS.join(',')}.`,
    );
  }
  return {};
}

function here(): string {
  return new URL('.', SCRIPT).href;
}

function absolute(url: string): string {
  return new URL(url, document.baseURI).href;
}

/** A loaded model, made by `load`. Calls may overlap; they are answered one after the other. */
export class BodyPix {
  private report: BackendReport;
  private times: Timing = { prepare: 0, network: 0, decode: 0, total: 0 };
  private films = 0;

  /** Name, version, architecture, stride, licence ... of the model. */
  readonly info: ModelInfo;

  /** For `load` alone. */
  constructor(
    private readonly client: WorkerClient,
    info: ModelInfo,
    report: BackendReport,
  ) {
    this.info = info;
    this.report = report;
    client.onSettled = (settled) => {
      this.report = settled;
    };
  }

  /** What the network runs on, and why. May go from WASM to WebGPU soon after loading. */
  get backend(): BackendReport {
    return this.report;
  }

  /** Milliseconds of the last call that was answered. */
  get timing(): Timing {
    return this.times;
  }

  /** One mask for all people in the picture, and all poses. */
  async segmentPerson(
    input: ImageInput,
    config?: PersonInferenceConfig,
  ): Promise<SemanticPersonSegmentation> {
    const answer = await this.segment(input, { people: false, parts: false }, config);
    return asSemantic<SemanticPersonSegmentation>(answer);
  }

  /** One map of the 24 body parts for all people in the picture, and all poses. */
  async segmentPersonParts(
    input: ImageInput,
    config?: PersonInferenceConfig,
  ): Promise<SemanticPartSegmentation> {
    const answer = await this.segment(input, { people: false, parts: true }, config);
    return asSemantic<SemanticPartSegmentation>(answer);
  }

  /** A mask and a pose for each person; an empty list where nobody is. */
  async segmentMultiPerson(
    input: ImageInput,
    config?: MultiPersonInferenceConfig,
  ): Promise<PersonSegmentation[]> {
    const answer = await this.segment(input, { people: true, parts: false }, config);
    return asPeople<PersonSegmentation>(answer);
  }

  /** A part map and a pose for each person; an empty list where nobody is. */
  async segmentMultiPersonParts(
    input: ImageInput,
    config?: MultiPersonInferenceConfig,
  ): Promise<PartSegmentation[]> {
    const answer = await this.segment(input, { people: true, parts: true }, config);
    return asPeople<PartSegmentation>(answer);
  }

  /** BodyPix 1: `segmentPerson` with its threshold, without poses. */
  async estimatePersonSegmentation(
    input: ImageInput,
    outputStride: number = 16,
    segmentationThreshold = 0.5,
  ): Promise<V1Segmentation<Uint8Array<ArrayBuffer>>> {
    checkV1Stride(outputStride);
    const options = { segmentationThreshold, poses: false };
    const { width, height, data } = await this.segmentPerson(input, options);
    return { width, height, data };
  }

  /** BodyPix 1: `segmentPersonParts` with its threshold, without poses. Ids are version 2's. */
  async estimatePartSegmentation(
    input: ImageInput,
    outputStride: number = 16,
    segmentationThreshold = 0.5,
  ): Promise<V1Segmentation<Int32Array<ArrayBuffer>>> {
    checkV1Stride(outputStride);
    const options = { segmentationThreshold, poses: false };
    const { width, height, data } = await this.segmentPersonParts(input, options);
    return { width, height, data };
  }

  /** Segment a film, frame by frame, with masks that do not flicker. */
  stream<Options extends StreamOptions>(
    options: Options = {} as Options,
  ): SegmentationStream<Options> {
    const film = ++this.films;
    return new SegmentationStream(options, {
      segment: async (input, task, config, smoothing) =>
        toResult(await this.segment(input, task, config, smoothing ? film : undefined), task),
      forget: () => this.client.ask<'forget'>({ type: 'forget', film }),
    });
  }

  /** Stop the worker and free its memory. */
  dispose(): void {
    this.client.close();
  }

  private async segment(
    input: ImageInput,
    task: Task,
    config: PersonInferenceConfig & MultiPersonInferenceConfig = {},
    film?: number,
  ): Promise<Answer> {
    const started = performance.now();
    const options = inferenceOptions(config);
    const { picture, transfer } = await capture(input);
    const request = { type: 'segment', picture, task, options, film } as const;
    const answer = await this.client.ask<'segment'>(request, transfer);
    const { prepare, network, decode } = answer;
    this.times = { prepare, network, decode, total: performance.now() - started };
    return answer;
  }
}

/** What BodyPix 1 answers. */
export interface V1Segmentation<Data> {
  width: number;
  height: number;
  data: Data;
}

function checkV1Stride(outputStride: number): void {
  if (![8, 16, 32].includes(outputStride)) {
    throw new InvalidArgumentError(
      `Invalid outputStride ${outputStride}. Should be one of 8,16,32.`,
    );
  }
}

function toResult(answer: Answer, task: Task): unknown {
  return task.people ? asPeople(answer) : asSemantic(answer);
}

function asSemantic<Result>({ width, height, data, poses, alpha }: Answer): Result {
  const result = { width, height, data: data[0], allPoses: poses };
  return (alpha === undefined ? result : { ...result, alpha }) as Result;
}

function asPeople<Result>({ width, height, data, poses, alpha }: Answer): Result[] {
  return poses.map((pose, index) => {
    const result = { width, height, data: data[index], pose };
    return (alpha === undefined ? result : { ...result, alpha }) as Result;
  });
}
