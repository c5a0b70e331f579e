/**
 * WebGPU must prove itself: the same answer as WASM on one picture, and sooner.
 *
 * Some drivers compute wrongly without saying so, and small networks are often faster on the CPU.
 */

import type { Engine } from '../engine.ts';

/** Network pixels of the picture, as of a camera at medium resolution. */
const HEIGHT = 241;
const WIDTH = 321;
const RUNS = 5;
/** Logits may differ by this much; wrong results differ by far more. */
const TOLERANCE = 0.05;

/** Whether the challenger holds, and the reason in words. */
export async function prove(
  known: Engine,
  challenger: Engine,
): Promise<{ holds: boolean; reason: string }> {
  const heads = [known.info.personHead, known.info.partsHead];
  const picture = testPicture();
  const expected = await known.run(heads, picture, HEIGHT, WIDTH);
  const got = await challenger.run(heads, picture, HEIGHT, WIDTH);
  for (const name of heads) {
    const difference = largestDifference(expected[name].data, got[name].data);
    if (!(difference <= TOLERANCE)) {
      return { holds: false, reason: `WebGPU computes ${name} wrongly (by ${difference})` };
    }
  }
  const before = await fastest(known, heads, picture);
  const after = await fastest(challenger, heads, picture);
  const times = `${after.toFixed(1)} ms on WebGPU, ${before.toFixed(1)} ms on WASM`;
  return { holds: after < before, reason: `the same answer takes ${times}` };
}

/** Smooth waves and a bright oval: something to see at every scale, the same in every browser. */
function testPicture(): Float32Array {
  const picture = new Float32Array(HEIGHT * WIDTH * 3);
  for (let y = 0, at = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const oval = Math.hypot((x - 160) / 60, (y - 130) / 100) < 1 ? 0.6 : -0.2;
      for (let channel = 0; channel < 3; channel++, at++) {
        picture[at] =
          oval + 0.3 * Math.sin(x / (5 + 9 * channel)) * Math.cos(y / (7 + 4 * channel));
      }
    }
  }
  return picture;
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let index = 0; index < a.length; index++) {
    const difference = Math.abs(a[index] - b[index]);
    // Not "larger than": NaN must count.
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

async function fastest(engine: Engine, heads: string[], picture: Float32Array): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < RUNS; run++) {
    const started = performance.now();
    await engine.run(heads, picture, HEIGHT, WIDTH);
    best = Math.min(best, performance.now() - started);
  }
  return best;
}
