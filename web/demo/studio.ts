/** The loop: the next frame is computed in the worker while the last one is painted. */

import { sameAnswer, type Picture } from './computing.ts';
import type { Settings } from './settings.ts';
import type { Source } from './sources.ts';

/** How fast it goes; both over the last second. */
export interface Pace {
  /** Frames a second that reached the screen. */
  fps: number;
  /** Milliseconds from a frame's arrival to its being painted. */
  ms: number;
}

export interface Work {
  compute(source: Source): Promise<Picture>;
  paint(picture: Picture): void;
  failed(reason: unknown): void;
  pace(pace: Pace): void;
}

export class Studio {
  private source: Source | undefined;
  private last: Picture | undefined;
  private painted: { at: number; ms: number }[] = [];

  constructor(private readonly work: Work) {}

  /** What is shown now. */
  get showing(): Source | undefined {
    return this.source;
  }

  /** Show another source from now on; the one before is closed. */
  show(source: Source): void {
    this.stop();
    this.source = source;
    void this.run(source);
  }

  /** Go on after a failure. */
  resume(): void {
    if (!this.source) return;
    this.source.again();
    void this.run(this.source);
  }

  stop(): void {
    this.source?.close();
    this.source = undefined;
    this.painted = [];
  }

  /**
   * Settings have changed: show it also where no new frame comes. The last picture is painted
   * again if its answer still serves, else computed again.
   */
  refresh(settings: Settings): void {
    if (!this.last) return;
    if (sameAnswer(this.last.settings, settings)) {
      this.last.settings = { ...settings };
      this.work.paint(this.last);
    } else if (this.source && !this.source.moving) {
      this.source.again();
    }
  }

  private async run(source: Source): Promise<void> {
    try {
      let ahead = this.work.compute(source);
      while (source === this.source) {
        const picture = await ahead;
        if (source !== this.source) {
          picture.frame.close();
          return;
        }
        ahead = this.work.compute(source);
        ahead.catch(() => {}); // told below, when its turn comes
        this.keep(picture);
        this.work.paint(picture);
        this.clock(picture);
      }
    } catch (reason) {
      if (source === this.source) this.work.failed(reason);
    }
  }

  private keep(picture: Picture): void {
    this.last?.frame.close();
    this.last = picture;
  }

  private clock(picture: Picture): void {
    const now = performance.now();
    this.painted.push({ at: now, ms: now - picture.began });
    while (now - this.painted[0].at > 1000) this.painted.shift();
    const { length } = this.painted;
    const seconds = (now - this.painted[0].at) / 1000;
    this.work.pace({
      fps: seconds > 0 ? (length - 1) / seconds : 0,
      ms: this.painted.reduce((sum, { ms }) => sum + ms, 0) / length,
    });
  }
}
