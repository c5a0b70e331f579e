/** Snapshots and recordings, to files of the visitor's own. */

/** Formats that browsers record, best first; only WebM can be see-through. */
const WEBM = ['video/webm;codecs=vp9', 'video/webm;codecs=vp8', 'video/webm'];
const MP4 = ['video/mp4;codecs=avc1.42E01E', 'video/mp4'];

/** How often a recording is handed over, so that a long one does not lie in one buffer. */
const SLICE_MS = 1000;

/** The canvas as a PNG file, see-through where the canvas is. */
export async function saveSnapshot(canvas: HTMLCanvasElement): Promise<string> {
  const picture = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (!picture) throw new Error('the browser makes no PNG of this picture');
  return save(picture, 'png');
}

/** Whether this browser can record a canvas at all. */
export const canRecord = (): boolean =>
  'MediaRecorder' in globalThis && 'captureStream' in HTMLCanvasElement.prototype;

export class Recording {
  private readonly recorder: MediaRecorder;
  private readonly pieces: Blob[] = [];
  private readonly started = performance.now();

  /** Starts at once. `seeThrough`: keep the canvas's transparency where the browser can. */
  constructor(canvas: HTMLCanvasElement, seeThrough: boolean) {
    const order = seeThrough ? WEBM : [...MP4, ...WEBM];
    const mimeType = order.find((type) => MediaRecorder.isTypeSupported(type));
    this.recorder = new MediaRecorder(canvas.captureStream(), {
      ...(mimeType && { mimeType }),
      videoBitsPerSecond: 6_000_000,
    });
    this.recorder.addEventListener('dataavailable', ({ data }) => {
      if (data.size > 0) this.pieces.push(data);
    });
    this.recorder.start(SLICE_MS);
  }

  /** Seconds since the start. */
  get seconds(): number {
    return (performance.now() - this.started) / 1000;
  }

  /** Ends it and saves the file; answers its name. */
  async stop(): Promise<string> {
    const stopped = new Promise((resolve) =>
      this.recorder.addEventListener('stop', resolve, { once: true }),
    );
    this.recorder.stop();
    for (const track of this.recorder.stream.getTracks()) track.stop();
    await stopped;
    const type = this.recorder.mimeType;
    return save(new Blob(this.pieces, { type }), type.includes('mp4') ? 'mp4' : 'webm');
  }
}

function save(content: Blob, ending: string): string {
  const time = new Date().toISOString().slice(0, 19).replaceAll(':', '').replace('T', '-');
  const link = document.createElement('a');
  link.download = `bodypix-${time}.${ending}`;
  link.href = URL.createObjectURL(content);
  link.click();
  // Long enough for the slowest browser to have begun reading.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return link.download;
}
