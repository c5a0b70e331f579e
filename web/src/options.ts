/** Options of `load` and of the inference calls: defaults and ranges, with the original's messages. */

import { InvalidArgumentError } from './errors.ts';
import { resolutionShare } from './geometry.ts';
import type {
  Architecture,
  InternalResolution,
  ModelConfig,
  MultiPersonInferenceConfig,
  PersonInferenceConfig,
} from './types.ts';

/** All that a segmentation can be asked for, complete. */
export interface InferenceOptions {
  flipHorizontal: boolean;
  internalResolution: InternalResolution;
  segmentationThreshold: number;
  maxDetections: number;
  scoreThreshold: number;
  nmsRadius: number;
  minKeypointScore: number;
  refineSteps: number;
  poses: boolean;
  alpha: boolean;
}

const DEFAULTS: InferenceOptions = {
  flipHorizontal: false,
  internalResolution: 'medium',
  segmentationThreshold: 0.7,
  maxDetections: 10,
  scoreThreshold: 0.4,
  nmsRadius: 20,
  minKeypointScore: 0.3,
  refineSteps: 10,
  poses: true,
  alpha: false,
};

/** A value that is null or undefined stands for the default. */
export function inferenceOptions(
  config: PersonInferenceConfig & MultiPersonInferenceConfig = {},
): InferenceOptions {
  const options = { ...DEFAULTS } as Record<string, unknown>;
  for (const key of Object.keys(DEFAULTS)) {
    const value = config[key as keyof typeof config];
    if (value !== undefined && value !== null) options[key] = value;
  }
  const checked = options as unknown as InferenceOptions;
  resolutionShare(checked.internalResolution);
  requireShare('segmentationThreshold', checked.segmentationThreshold);
  requireShare('scoreThreshold', checked.scoreThreshold);
  requireShare('minKeypointScore', checked.minKeypointScore);
  check('maxDetections', checked.maxDetections, checked.maxDetections > 0, 'above 0');
  check('nmsRadius', checked.nmsRadius, checked.nmsRadius > 0, 'above 0');
  const { refineSteps } = checked;
  const steps = Number.isInteger(refineSteps) && refineSteps >= 1 && refineSteps <= 20;
  check('refineSteps', refineSteps, steps, 'a whole number from 1 to 20');
  return checked;
}

function requireShare(key: string, value: number): void {
  check(key, value, value >= 0 && value <= 1, 'from 0 to 1');
}

function check(key: string, value: unknown, holds: boolean, expected: string): void {
  if (typeof value !== 'number' || !holds) {
    throw new InvalidArgumentError(`Invalid ${key} ${String(value)}. Should be ${expected}.`);
  }
}

/** Which published checkpoint the original's options mean. */
export interface Checkpoint {
  architecture: Architecture;
  outputStride: number;
  multiplier: number;
  quantBytes: number;
}

const STRIDES: Record<Architecture, readonly number[]> = {
  MobileNetV1: [8, 16, 32],
  ResNet50: [16, 32],
};
const MULTIPLIERS: Record<Architecture, readonly number[]> = {
  MobileNetV1: [0.5, 0.75, 1.0],
  ResNet50: [1.0],
};
const QUANT_BYTES: readonly number[] = [1, 2, 4];

/**
 * The checkpoint that a configuration asks for, or undefined if it names none.
 *
 * Missing keys have the original's defaults, which differ from those of no configuration at all.
 */
export function checkpointOf(config: ModelConfig): Checkpoint | undefined {
  const { architecture, outputStride, multiplier, quantBytes } = config;
  const asked = [architecture, outputStride, multiplier, quantBytes];
  if (asked.every((value) => value === undefined || value === null)) return undefined;
  const checkpoint: Checkpoint = {
    architecture: architecture ?? 'MobileNetV1',
    outputStride: outputStride ?? 16,
    multiplier: multiplier ?? 1.0,
    quantBytes: quantBytes ?? 4,
  };
  const name = checkpoint.architecture;
  oneOf('architecture', name, Object.keys(STRIDES), '');
  const suffix = ` for architecture ${name}`;
  oneOf('outputStride', checkpoint.outputStride, STRIDES[name], suffix);
  oneOf('multiplier', checkpoint.multiplier, MULTIPLIERS[name], suffix);
  oneOf('quantBytes', checkpoint.quantBytes, QUANT_BYTES, suffix);
  return checkpoint;
}

function oneOf(key: string, value: unknown, allowed: readonly unknown[], suffix: string): void {
  if (!allowed.includes(value)) {
    throw new InvalidArgumentError(
      `Invalid ${key} ${String(value)}. Should be one of ${allowed.join(',')}${suffix}.`,
    );
  }
}
