/** Films: one frame after the other, with masks that do not flicker. */

import type { Task } from './segmenter.ts';
import type { ImageInput, StreamOptions, StreamResult } from './types.ts';

/** What a stream needs of its model. */
interface Host {
  segment(
    input: ImageInput,
    task: Task,
    options: StreamOptions,
    smoothing: boolean,
  ): Promise<unknown>;
  forget(): Promise<void>;
}

/**
 * A film, made by `BodyPix.stream`.
 *
 * ```js
 * const stream = net.stream({ parts: true });
 * for (;;) {
 *   const segmentation = await stream.next(video);
 *   draw(segmentation);
 * }
 * ```
 */
export class SegmentationStream<Options extends StreamOptions = StreamOptions> {
  /** May be replaced between frames, to change a threshold. */
  options: Options;
  private last: Promise<unknown> = Promise.resolve();

  /** For `BodyPix.stream` alone. */
  constructor(
    options: Options,
    private readonly host: Host,
  ) {
    this.options = options;
  }

  /** Segment the next frame. A call made while another runs waits, then takes what is shown. */
  next(input: ImageInput): Promise<StreamResult<Options>> {
    const result = this.last.then(() => {
      const { parts = false, people = false, smoothing = true, ...config } = this.options;
      return this.host.segment(input, { parts, people }, config, smoothing);
    });
    this.last = result.catch(() => undefined);
    return result as Promise<StreamResult<Options>>;
  }

  /** Forget the frames so far: for a jump in the film, or another camera. */
  async reset(): Promise<void> {
    await this.host.forget();
  }
}
