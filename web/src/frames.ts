/** Pictures on the page: how large they are, and how to hand one to the worker. */

import { ImageError } from './errors.ts';
import type { ImageInput } from './types.ts';
import type { Picture } from './worker/protocol.ts';

/** HTMLMediaElement.HAVE_CURRENT_DATA. */
const HAVE_CURRENT_DATA = 2;

function is<Name extends keyof typeof globalThis>(
  input: unknown,
  name: Name,
): input is InstanceType<
  Extract<(typeof globalThis)[Name], abstract new (...args: never) => unknown>
> {
  const kind = globalThis[name] as unknown;
  return typeof kind === 'function' && input instanceof kind;
}

/**
 * Width and height of a picture, as answers about it have them: `<img>` as it is laid out (as in
 * the original), `<video>` by its attributes if it has both, else its own, all others their own.
 */
export function sizeOf(input: ImageInput): { width: number; height: number } {
  let width: number;
  let height: number;
  if (is(input, 'HTMLVideoElement')) {
    const attributes = input.hasAttribute('width') && input.hasAttribute('height');
    width = attributes ? input.width : input.videoWidth;
    height = attributes ? input.height : input.videoHeight;
  } else if (is(input, 'HTMLImageElement')) {
    const laidOut = input.offsetWidth !== 0 && input.offsetHeight !== 0;
    width = laidOut ? input.offsetWidth : input.width;
    height = laidOut ? input.offsetHeight : input.height;
  } else if (is(input, 'VideoFrame')) {
    width = input.displayWidth;
    height = input.displayHeight;
  } else {
    ({ width, height } = input);
  }
  if (!(width > 0 && height > 0)) {
    throw new ImageError(
      `image: expected a picture with pixels, got ${width}x${height}; wait until it is loaded.`,
    );
  }
  return { width, height };
}

/** A picture ready for the worker, and what to transfer with it. */
export interface Captured {
  picture: Picture;
  transfer: Transferable[];
}

/** Take the picture as it is now. No pixel is copied where the browser can hand it over. */
export async function capture(input: ImageInput): Promise<Captured> {
  const { width, height } = sizeOf(input);
  if (is(input, 'ImageData')) {
    const data = new Uint8ClampedArray(input.data);
    return { picture: { source: { data }, width, height }, transfer: [data.buffer] };
  }
  const source = await toTransferable(input);
  return { picture: { source, width, height }, transfer: [source] };
}

async function toTransferable(
  input: Exclude<ImageInput, ImageData>,
): Promise<ImageBitmap | VideoFrame> {
  if (is(input, 'VideoFrame')) return input.clone();
  if (is(input, 'HTMLVideoElement') && input.readyState < HAVE_CURRENT_DATA) {
    throw new ImageError('image: expected a video that shows something; wait for "loadeddata".');
  }
  return toVideoFrame(input) ?? toBitmap(input);
}

/** A frame: taken at once, and read in the worker several times as fast as a bitmap. */
function toVideoFrame(input: Exclude<ImageInput, ImageData | VideoFrame>): VideoFrame | undefined {
  // Images are left to bitmaps, which know their orientation and scale drawings.
  if (typeof VideoFrame === 'undefined' || is(input, 'HTMLImageElement')) return undefined;
  try {
    return new VideoFrame(input, is(input, 'HTMLVideoElement') ? {} : { timestamp: 0 });
  } catch {
    // Some browsers make no frame of some sources; a bitmap says why if that fails too.
    return undefined;
  }
}

async function toBitmap(input: Exclude<ImageInput, ImageData>): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(input);
  } catch (error) {
    throw unreadable(error);
  }
}

/** What is wrong with a picture whose pixels the browser does not give away. */
export function unreadable(error: unknown): ImageError {
  return new ImageError(
    `image: its pixels cannot be read (${String(error)}); pictures of other sites need ` +
      'crossorigin="anonymous" and a server that allows it.',
  );
}
