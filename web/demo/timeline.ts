/** Play, pause and position of a video file. */

export class Timeline {
  private video: HTMLVideoElement | undefined;
  private readonly bar: HTMLElement;
  private readonly button: HTMLButtonElement;
  private readonly icon: SVGUseElement;
  private readonly seek: HTMLInputElement;
  private readonly time: HTMLOutputElement;

  constructor(find: <Kind extends Element>(id: string) => Kind) {
    this.bar = find('timeline');
    this.button = find('play');
    this.icon = find('play-icon');
    this.seek = find('seek');
    this.time = find('seek-time');
    this.button.addEventListener('click', () => this.toggle());
    this.seek.addEventListener('input', () => {
      if (this.video) this.video.currentTime = Number(this.seek.value) * this.video.duration;
    });
  }

  /** Show it for this video; without one hide it. */
  follow(video: HTMLVideoElement | undefined): void {
    this.video = video;
    this.bar.hidden = !video;
    if (!video) return;
    for (const event of ['timeupdate', 'seeking', 'play', 'pause']) {
      video.addEventListener(event, () => this.show());
    }
    this.show();
  }

  toggle(): void {
    if (this.video?.paused) void this.video.play();
    else this.video?.pause();
  }

  private show(): void {
    const { video } = this;
    if (!video) return;
    const name = video.paused ? 'play' : 'pause';
    this.icon.setAttribute('href', `./icons.svg#${name}`);
    this.button.setAttribute('aria-label', video.paused ? 'Play' : 'Pause');
    const length = Number.isFinite(video.duration) ? video.duration : 0;
    this.seek.value = String(length ? video.currentTime / length : 0);
    this.seek.style.setProperty('--filled', this.seek.value);
    this.time.textContent = `${clock(video.currentTime)} / ${clock(length)}`;
  }
}

/** 75: 1:15 */
export const clock = (seconds: number): string =>
  `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;
