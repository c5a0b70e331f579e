/** Tables, geometry, options, and pixels to the network's input. */

import { describe, expect, test } from 'vitest';

import * as body from '../src/body.ts';
import { InvalidArgumentError } from '../src/errors.ts';
import { frameOf, paddingFor, resolutionShare, toValidInputResolution } from '../src/geometry.ts';
import { checkpointOf, inferenceOptions } from '../src/options.ts';
import { fillNetworkInput } from '../src/preprocessing.ts';
import type { ModelConfig, MultiPersonInferenceConfig } from '../src/types.ts';
import { floats, largestDifference, manifest, pixels } from './fixtures.ts';

function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

test('the tables are those of Python', () => {
  const python = manifest.body;
  expect(body.PART_CHANNELS).toEqual(python.parts);
  expect(body.V1_PART_CHANNELS).toEqual(python.v1Parts);
  expect(body.KEYPOINT_NAMES).toEqual(python.keypoints.map(camel));
  expect(body.POSE_EDGES).toEqual(python.edges);
  expect(body.SKELETON).toEqual(python.skeleton);
  expect(body.COLOR_SCALES).toEqual(python.scales);
  expect(body.MIRRORED_PARTS).toEqual(python.mirroredParts);
  expect(body.MIRRORED_KEYPOINTS).toEqual(python.mirroredKeypoints);
  expect(body.V2_TO_V1_PARTS).toEqual(python.v2ToV1);
});

test('frames are those of Python', () => {
  for (const { stride, resolution, ...frame } of manifest.frames) {
    expect(frameOf(frame.height, frame.width, resolution, stride, true)).toEqual(frame);
  }
});

test.each([
  [1920, 8, 1921],
  [1280, 16, 1281],
  [719, 16, 705],
  [545, 16, 545],
  [225, 8, 225],
  [240, 8, 241],
  [1000, 16, 993],
  [562, 8, 561],
])('input of %d at stride %d is %d', (resolution, stride, expected) => {
  expect(toValidInputResolution(resolution, stride)).toBe(expected);
});

test('padding of the vectors of the specification', () => {
  expect(paddingFor(480, 640, 113, 161)).toEqual({ top: 0, bottom: 0, left: 22, right: 22 });
  expect(paddingFor(694, 309, 321, 129)).toEqual({ top: 37, bottom: 37, left: 0, right: 0 });
});

test.each([0.09, 2.01, Number.NaN, 'huge' as 'full'])('no resolution %s', (resolution) => {
  expect(() => resolutionShare(resolution)).toThrow(InvalidArgumentError);
});

describe('network input', () => {
  test.each(manifest.inputs)('$name, $preprocessing, flip: $flip', (given) => {
    const expected = floats(given.expected);
    const got = new Float32Array(expected.length);
    fillNetworkInput(pixels(given.pixels), given.frame, given.preprocessing, given.flip, got);
    // In the centred convention OpenCV's bytes may round to a neighbour, which is 1/127.5.
    const tolerance = given.frame.centred
      ? 1.01 / 127.5
      : 1e-4 * (given.preprocessing === 'resnet50' ? 100 : 1);
    expect(largestDifference(got, expected)).toBeLessThan(tolerance);
  });
});

describe('options of a call', () => {
  test('have the defaults of the original', () => {
    expect(inferenceOptions()).toMatchObject({
      flipHorizontal: false,
      internalResolution: 'medium',
      segmentationThreshold: 0.7,
      maxDetections: 10,
      scoreThreshold: 0.4,
      nmsRadius: 20,
      minKeypointScore: 0.3,
      refineSteps: 10,
    });
  });

  test('null and undefined are the default', () => {
    const config = { segmentationThreshold: undefined, nmsRadius: null as unknown as number };
    expect(inferenceOptions(config)).toEqual(inferenceOptions());
  });

  test.each<MultiPersonInferenceConfig>([
    { segmentationThreshold: 1.1 },
    { scoreThreshold: -0.1 },
    { maxDetections: 0 },
    { nmsRadius: 0 },
    { minKeypointScore: 2 },
    { refineSteps: 21 },
    { refineSteps: 0.5 },
    { internalResolution: 3 },
    { segmentationThreshold: '0.5' as unknown as number },
  ])('%o is refused', (config) => {
    const [key] = Object.keys(config);
    expect(() => inferenceOptions(config)).toThrow(`Invalid ${key} `);
  });
});

describe('options of load', () => {
  test('none name no checkpoint', () => {
    expect(checkpointOf({ modelUrl: 'x.onnx', backend: 'wasm' })).toBeUndefined();
  });

  test('missing ones have the defaults of a partial configuration', () => {
    expect(checkpointOf({ architecture: 'MobileNetV1' })).toEqual({
      architecture: 'MobileNetV1',
      outputStride: 16,
      multiplier: 1,
      quantBytes: 4,
    });
  });

  test('the configuration is left alone', () => {
    const config = Object.freeze({ multiplier: 0.5 } as const);
    expect(checkpointOf(config)?.multiplier).toBe(0.5);
  });

  test.each<[unknown, string]>([
    [{ architecture: 'VGG' }, 'Invalid architecture VGG. Should be one of MobileNetV1,ResNet50'],
    [
      { outputStride: 4 },
      'Invalid outputStride 4. Should be one of 8,16,32 for architecture MobileNetV1',
    ],
    [
      { architecture: 'ResNet50', outputStride: 8 },
      'Invalid outputStride 8. Should be one of 16,32',
    ],
    [{ architecture: 'ResNet50', multiplier: 0.5 }, 'Invalid multiplier 0.5. Should be one of 1 '],
    [{ quantBytes: 3 }, 'Invalid quantBytes 3. Should be one of 1,2,4'],
  ])('%o is refused', (config, message) => {
    expect(() => checkpointOf(config as ModelConfig)).toThrow(message);
  });
});
