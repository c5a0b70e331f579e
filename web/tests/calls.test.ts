/** Pixels to answers, with the network, on onnxruntime-web's WASM: what runs in the worker. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import * as runtime from 'onnxruntime-web/wasm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Engine } from '../src/engine.ts';
import { ModelError } from '../src/errors.ts';
import { OnnxModel } from '../src/onnx/model.ts';
import { inferenceOptions } from '../src/options.ts';
import { Segmenter, type Answer } from '../src/segmenter.ts';
import { Smoother } from '../src/temporal/smoother.ts';
import {
  agreement,
  closeShare,
  facts,
  flatFacts,
  FOLDER,
  largestDifference,
  load,
  manifest,
  pixels,
} from './fixtures.ts';

const WEIGHTS = fileURLToPath(
  new URL('../../src/bodypix/weights/bodypix-mobilenet-050.onnx', import.meta.url),
);
const bytes = new Uint8Array(readFileSync(WEIGHTS));

/** OpenCV's bytes may round to their neighbours, which moves keypoints, the unsure ones far. */
function certain<Pose extends { score: number }>(poses: readonly Pose[]): Pose[] {
  return poses.filter((pose) => pose.score >= 0.5);
}

let engine: Engine;
let segmenter: Segmenter;
let coarse: Engine;

beforeAll(() => {
  const folder = dirname(createRequire(import.meta.url).resolve('onnxruntime-web/wasm'));
  runtime.env.wasm.numThreads = 1;
  runtime.env.wasm.wasmBinary = readFileSync(join(folder, 'ort-wasm-simd-threaded.wasm'));
  runtime.env.wasm.wasmPaths = {
    mjs: pathToFileURL(join(folder, 'ort-wasm-simd-threaded.mjs')).href,
  };
  engine = new Engine(runtime, 'wasm', bytes);
  segmenter = new Segmenter(engine);
  coarse = new Engine(runtime, 'wasm', new Uint8Array(readFileSync(join(FOLDER, 'coarse.onnx'))));
});

afterAll(async () => {
  await engine.dispose();
  await coarse.dispose();
});

const cases = [
  ...manifest.calls.map((given) => ({ ...given, model: 'own' })),
  ...manifest.coarseCalls.map((given) => ({ ...given, model: 'coarse' })),
];

describe.each(cases)('$model model, $name, flip: $flip', (given) => {
  const options = inferenceOptions({ flipHorizontal: given.flip, scoreThreshold: 0.2 });
  const picture = pixels(given.pixels);
  const ask = (people: boolean, parts: boolean): Promise<Answer> => {
    const chosen = given.model === 'own' ? segmenter : new Segmenter(coarse);
    return chosen.segment(picture, { people, parts }, options);
  };

  test('segmentPerson', async () => {
    const answer = await ask(false, false);
    expect(agreement(answer.data[0], load(given.person))).toBeGreaterThan(0.995);
    expect(answer.data[0]).toBeInstanceOf(Uint8Array);
    expect([answer.width, answer.height]).toEqual([picture.width, picture.height]);
    expect(certain(answer.poses)).toHaveLength(certain(given.allPoses).length);
  });

  test('segmentPersonParts', async () => {
    const answer = await ask(false, true);
    expect(agreement(answer.data[0], load(given.parts))).toBeGreaterThan(0.995);
    expect(answer.data[0]).toBeInstanceOf(Int32Array);
  });

  test('segmentMultiPerson', async () => {
    const answer = await ask(true, false);
    expect(answer.data).toHaveLength(given.people.length);
    answer.data.forEach((data, index) => {
      expect(agreement(data, load(given.people[index]))).toBeGreaterThan(0.995);
    });
    const got = facts(certain(answer.poses));
    // A keypoint between two cells may be read from the other one, and then lies pixels away.
    expect(closeShare(got, flatFacts(certain(given.poses)), 1.5)).toBeGreaterThan(0.9);
  });

  test('segmentMultiPersonParts', async () => {
    const answer = await ask(true, true);
    expect(answer.data).toHaveLength(given.peopleParts.length);
    answer.data.forEach((data, index) => {
      expect(agreement(data, load(given.peopleParts[index]))).toBeGreaterThan(0.995);
    });
  });
});

describe('options', () => {
  const [given] = manifest.calls;
  const picture = pixels(given.pixels);
  const person = { people: false, parts: false };

  test('poses that are not asked for are not looked for', async () => {
    const answer = await segmenter.segment(picture, person, inferenceOptions({ poses: false }));
    expect(answer.poses).toEqual([]);
    expect(agreement(answer.data[0], load(given.person))).toBeGreaterThan(0.995);
  });

  test('a picture of one pixel has an answer of one pixel', async () => {
    const dot = { data: new Uint8Array([90, 90, 90, 255]), width: 1, height: 1 };
    const answer = await segmenter.segment(dot, { people: false, parts: true }, inferenceOptions());
    expect(answer.data[0]).toHaveLength(1);
  });

  test('the soft mask is half where the mask begins', async () => {
    const answer = await segmenter.segment(picture, person, inferenceOptions({ alpha: true }));
    const { data, width, height } = answer.alpha!;
    expect([width, height]).toEqual([320, 240]);
    let equal = 0;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        if (answer.data[0][2 * y * 640 + 2 * x] === (data[y * width + x] >= 128 ? 1 : 0)) equal++;
      }
    }
    expect(equal / (width * height)).toBeGreaterThan(0.99);
  });

  test('a smoothed film begins with the plain mask, soft mask included', async () => {
    const options = inferenceOptions({ alpha: true, poses: false });
    const plain = await segmenter.segment(picture, person, options);
    const first = await segmenter.segment(picture, person, options, new Smoother());
    expect(agreement(first.data[0], plain.data[0])).toBeGreaterThan(0.9999);
    expect(largestDifference(first.alpha!.data, plain.alpha!.data)).toBeLessThan(40);
  });

  test('a smoothed film ends a still picture with the same mask', async () => {
    const smoother = new Smoother();
    const options = inferenceOptions({ poses: false });
    const first = (await segmenter.segment(picture, person, options, smoother)).data[0];
    const second = (await segmenter.segment(picture, person, options, smoother)).data[0];
    expect(agreement(second, first)).toBe(1);
    // Answers are handed over to the page: they must not share memory.
    expect(second.buffer).not.toBe(first.buffer);
  });
});

describe('model files', () => {
  test('tell what they are', () => {
    expect(engine.info).toMatchObject({
      name: 'bodypix-mobilenet-050',
      outputStride: 16,
      personHead: 'segments_fine',
      preprocessing: 'mobilenet',
    });
  });

  test('are pruned to what a head needs', () => {
    const model = new OnnxModel(bytes);
    const pruned = new OnnxModel(model.prune(['segments_fine', 'part_heatmaps_fine']));
    expect(pruned.heads).toEqual(['segments_fine', 'part_heatmaps_fine']);
    expect(() => pruned.prune(['long_offsets'])).toThrow(ModelError);
  });

  test.each([
    ['text', new TextEncoder().encode('<!doctype html><title>Not found</title>')],
    ['nothing', new Uint8Array(0)],
    ['half a file', bytes.slice(0, 5000)],
  ])('%s is refused', (_, broken) => {
    expect(() => new OnnxModel(broken)).toThrow(ModelError);
  });
});
