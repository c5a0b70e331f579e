/** Pictures as they arrive in the worker, to RGBA bytes. */

import type { Pixels } from '../preprocessing.ts';
import type { Picture } from './protocol.ts';

/** Reads pictures one after the other into the same memory. */
export class PixelReader {
  private bytes = new Uint8ClampedArray(0);
  private canvas: OffscreenCanvas | undefined;

  /** The pixels, valid until the next call; the picture is closed. */
  async read({ source, width, height }: Picture): Promise<Pixels> {
    if ('data' in source) return { data: source.data, width, height };
    try {
      if (source instanceof ImageBitmap || !isPlain(source, width, height)) {
        return this.draw(source, width, height);
      }
      return (await this.copy(source, width, height)) ?? this.draw(source, width, height);
    } finally {
      source.close();
    }
  }

  /** Without a canvas in between; undefined where the browser cannot convert the format. */
  private async copy(
    frame: VideoFrame,
    width: number,
    height: number,
  ): Promise<Pixels | undefined> {
    const size = width * height * 4;
    if (this.bytes.length !== size) this.bytes = new Uint8ClampedArray(size);
    try {
      const layout = await frame.copyTo(this.bytes, { format: 'RGBA', colorSpace: 'srgb' });
      if (layout[0].offset !== 0 || layout[0].stride !== width * 4) return undefined;
    } catch {
      return undefined;
    }
    return { data: this.bytes, width, height };
  }

  private draw(source: ImageBitmap | VideoFrame, width: number, height: number): Pixels {
    if (this.canvas?.width !== width || this.canvas.height !== height) {
      this.canvas = new OffscreenCanvas(width, height);
    }
    const context = this.canvas.getContext('2d', { willReadFrequently: true });
    if (context === null) throw new Error('no 2D canvas in the worker');
    context.globalCompositeOperation = 'copy';
    context.drawImage(source, 0, 0, width, height);
    return context.getImageData(0, 0, width, height);
  }
}

/** Whether a frame's stored pixels are those to be seen: neither scaled nor turned. */
function isPlain(frame: VideoFrame, width: number, height: number): boolean {
  const { rotation, flip } = frame as VideoFrame & { rotation?: number; flip?: boolean };
  const { visibleRect } = frame;
  return (
    visibleRect?.width === width && visibleRect.height === height && !rotation && flip !== true
  );
}
