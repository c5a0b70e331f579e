/** Heads to answers: the same as Python on the same heads. */

import { describe, expect, test } from 'vitest';

import { assignInstances } from '../src/decoding/instances.ts';
import { partMap } from '../src/decoding/parts.ts';
import { personMask, personProbability } from '../src/decoding/person.ts';
import { findPoses, flipPoseHorizontal } from '../src/decoding/poses.ts';
import { MaxHeap } from '../src/decoding/queue.ts';
import { InvalidArgumentError } from '../src/errors.ts';
import { inferenceOptions } from '../src/options.ts';
import {
  agreement,
  bytes,
  facts,
  flatFacts,
  floats,
  heads,
  largestDifference,
  load,
  manifest,
} from './fixtures.ts';

const OPTIONS = inferenceOptions({ segmentationThreshold: 0.6, scoreThreshold: 0.2 });

describe.each(manifest.decoding)('$name, centred: $frame.centred', (given) => {
  const { frame } = given;
  const network = heads(given.heads);
  const mask = bytes(given.mask);

  test('mask', () => {
    const got = personMask(network[given.person], frame, 0.6);
    expect(agreement(got, mask)).toBeGreaterThan(0.9995);
  });

  test.each([0, 1])('threshold %d', (threshold) => {
    const got = personMask(network[given.person], frame, threshold);
    expect(got.every((value) => value === 1 - threshold)).toBe(true);
  });

  test('probability', () => {
    const { height, width } = frame;
    // OpenCV's resize rounds its weights, and where it begins.
    const raster = { data: new Float32Array(height * width), height, width };
    personProbability(network[given.person], frame, raster);
    expect(largestDifference(raster.data, floats(given.probability))).toBeLessThan(4e-3);
  });

  test('part map', () => {
    const got = partMap(network[given.parts], mask, frame);
    expect(agreement(got, load(given.partMap))).toBeGreaterThan(0.9995);
  });

  test('poses', () => {
    const got = findPoses(network, frame, given.stride, OPTIONS);
    expect(got).toHaveLength(given.allPoses.length);
    expect(largestDifference(facts(got), flatFacts(given.allPoses))).toBeLessThan(1e-3);
  });

  test('instances', () => {
    const all = findPoses(network, frame, given.stride, OPTIONS);
    const poses = all.filter((pose) => pose.score >= OPTIONS.scoreThreshold);
    expect(poses).toHaveLength(given.poses.length);
    const got = assignInstances(mask, network.long_offsets, poses, frame, given.stride, OPTIONS);
    expect(agreement(got, load(given.owners))).toBeGreaterThan(0.999);
  });
});

test('the fixtures show several people, and nobody for the smallest picture', () => {
  const counts = manifest.decoding.map(({ poses }) => poses.length);
  expect(Math.max(...counts)).toBeGreaterThan(2);
});

test('equal scores leave the queue in the order of the original', () => {
  const { scores, order } = manifest.queue;
  const queue = new MaxHeap();
  scores.forEach((score, index) => queue.push(score, index));
  const got: number[] = [];
  while (queue.size > 0) got.push(queue.pop());
  expect(got).toEqual(order);
});

describe('flipped poses', () => {
  const network = heads(manifest.decoding[0].heads);
  const [pose] = findPoses(network, manifest.decoding[0].frame, 16, OPTIONS);

  test('are mirrored, twice is nothing', () => {
    const flipped = flipPoseHorizontal(pose, 640);
    expect(flipped.keypoints[3].position.x).toBeCloseTo(639 - pose.keypoints[3].position.x);
    expect(facts([flipPoseHorizontal(flipped, 640)])).toEqual(
      facts([pose]).map((value) => expect.closeTo(value, 9)),
    );
  });

  test('with sides swapped have the other eye in the place of this one', () => {
    const flipped = flipPoseHorizontal(pose, 640, true);
    expect(flipped.keypoints[1].part).toBe('leftEye');
    expect(flipped.keypoints[1].position.y).toBe(pose.keypoints[2].position.y);
  });

  test('need a width', () => {
    expect(() => flipPoseHorizontal(pose, 0)).toThrow(InvalidArgumentError);
  });
});

test('no usable keypoint, nobody', () => {
  const { frame, stride, ...given } = manifest.decoding[0];
  const network = heads(given.heads);
  const poses = findPoses(network, frame, stride, OPTIONS);
  const got = assignInstances(bytes(given.mask), network.long_offsets, poses, frame, stride, {
    ...OPTIONS,
    minKeypointScore: 1,
  });
  expect(new Set(got)).toEqual(new Set([-1]));
});
