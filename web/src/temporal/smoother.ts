/** `smooth` with its state kept: one for each film. */

import { personProbability, type Raster } from '../decoding/person.ts';
import type { Frame } from '../geometry.ts';
import type { Head } from '../heads.ts';
import type { Pixels } from '../preprocessing.ts';
import { smooth, type SmoothingState } from './smoothing.ts';

export class Smoother {
  private state: SmoothingState | undefined;
  private probability: Raster = { data: new Float32Array(0), width: 0, height: 0 };

  /**
   * The smoothed probability of the next frame, for each pixel; valid until the next call.
   *
   * @param flip - whether the head is that of the mirrored frame.
   */
  next(head: Head, frame: Frame, pixels: Pixels, flip: boolean): Raster {
    const { width, height } = frame;
    if (this.probability.width !== width || this.probability.height !== height) {
      this.probability = { data: new Float32Array(width * height), width, height };
    }
    personProbability(head, frame, this.probability);
    this.state = smooth(this.state, this.probability, pixels, flip);
    return this.probability;
  }
}
