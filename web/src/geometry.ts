/**
 * Sizes, padding and where interpolation reads: from an image to the network's input and back.
 *
 * The same conventions as `bodypix/geometry.py`, which explains them: the original's two ("legacy"
 * towards the network, "corner aligned" back), and for models with fine heads "centred" both ways.
 * Padding is in image pixels.
 */

import { InvalidArgumentError } from './errors.ts';
import type { InternalResolution } from './types.ts';

const NAMED_RESOLUTIONS: Record<string, number> = { low: 0.25, medium: 0.5, high: 0.75, full: 1.0 };
const MIN_RESOLUTION = 0.1;
const MAX_RESOLUTION = 2.0;

/** Rows and columns of zeros around the image, in image pixels. */
export interface Padding {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

/** How one image lies in the network's input. */
export interface Frame {
  /** Image pixels. */
  height: number;
  width: number;
  /** Network pixels. */
  inputHeight: number;
  inputWidth: number;
  padding: Padding;
  /** The centred convention both ways, instead of the original's two. */
  centred: boolean;
}

/** Where each output of a linear interpolation reads: `in[low] + (in[high] - in[low]) * weight`. */
export interface Taps {
  low: Int32Array;
  high: Int32Array;
  weight: Float32Array;
}

/** The number behind an internal resolution. */
export function resolutionShare(resolution: InternalResolution): number {
  const share = typeof resolution === 'string' ? NAMED_RESOLUTIONS[resolution] : resolution;
  if (typeof share !== 'number' || !(share >= MIN_RESOLUTION && share <= MAX_RESOLUTION)) {
    throw new InvalidArgumentError(
      `Invalid internalResolution ${String(resolution)}. Should be 'low', 'medium', 'high', ` +
        `'full' or a number from ${MIN_RESOLUTION} to ${MAX_RESOLUTION}.`,
    );
  }
  return share;
}

/** Nearest size of the form `stride * n + 1`, going down from the stride above. */
export function toValidInputResolution(resolution: number, outputStride: number): number {
  if ((resolution - 1) % outputStride === 0) return resolution;
  return Math.floor(resolution / outputStride) * outputStride + 1;
}

/** Padding that gives an image the aspect ratio of the network's input. */
export function paddingFor(
  height: number,
  width: number,
  inputHeight: number,
  inputWidth: number,
): Padding {
  const target = inputWidth / inputHeight;
  if (width / height < target) {
    const side = Math.round(0.5 * (target * height - width));
    return { top: 0, bottom: 0, left: side, right: side };
  }
  // (1 / target) * width, not width / target: the original's order of rounding.
  const side = Math.round(0.5 * ((1.0 / target) * width - height));
  return { top: side, bottom: side, left: 0, right: 0 };
}

/** The frame of an image at an internal resolution. */
export function frameOf(
  height: number,
  width: number,
  resolution: InternalResolution,
  outputStride: number,
  centred: boolean,
): Frame {
  const share = resolutionShare(resolution);
  const inputHeight = toValidInputResolution(height * share, outputStride);
  const inputWidth = toValidInputResolution(width * share, outputStride);
  const padding = paddingFor(height, width, inputHeight, inputWidth);
  return { height, width, inputHeight, inputWidth, padding, centred };
}

/** Network pixels for each pixel of the padded image, as [rows, columns]. */
export function inputScale(frame: Frame): [number, number] {
  const { padding } = frame;
  return [
    frame.inputHeight / (frame.height + padding.top + padding.bottom),
    frame.inputWidth / (frame.width + padding.left + padding.right),
  ];
}

/** Taps at these positions of an axis of so many values; positions outside are clamped. */
function taps(count: number, size: number, position: (index: number) => number): Taps {
  const result = {
    low: new Int32Array(count),
    high: new Int32Array(count),
    weight: new Float32Array(count),
  };
  for (let index = 0; index < count; index++) {
    const at = position(index);
    const low = Math.min(Math.max(Math.floor(at), 0), size - 1);
    result.low[index] = low;
    result.high[index] = Math.min(low + 1, size - 1);
    result.weight[index] = at - low;
  }
  return result;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

/** Taps of the legacy convention, image to network: `source = i * size / count`. */
export function legacyTaps(size: number, count: number): Taps {
  const step = size / count;
  return taps(count, size, (index) => index * step);
}

/** Taps of the centred convention, image to network. */
export function centredTaps(size: number, count: number): Taps {
  const step = size / count;
  return taps(count, size, (index) => clamp((index + 0.5) * step - 0.5, 0, size - 1));
}

/** Taps of the corner aligned convention, grid to network. */
export function alignedTaps(size: number, count: number): Taps {
  return taps(count, size, (index) => (index * (size - 1)) / Math.max(count - 1, 1));
}

/** One axis of a frame. */
export interface Axis {
  /** Image pixels. */
  size: number;
  /** Network pixels. */
  inputSize: number;
  /** Image pixels of padding. */
  before: number;
  after: number;
  centred: boolean;
}

export function rowAxis(frame: Frame): Axis {
  const { height: size, inputHeight: inputSize, centred, padding } = frame;
  return { size, inputSize, before: padding.top, after: padding.bottom, centred };
}

export function columnAxis(frame: Frame): Axis {
  const { width: size, inputWidth: inputSize, centred, padding } = frame;
  return { size, inputSize, before: padding.left, after: padding.right, centred };
}

/**
 * Taps from the network to the image.
 *
 * @param axis - rows or columns of a frame.
 * @param count - so many samples, evenly over the image; `axis.size` for one at every pixel.
 * @param stride - read the grid of every `stride`-th network pixel instead of all of them.
 */
export function imageTaps(axis: Axis, count = axis.size, stride = 1): Taps {
  const { size, inputSize, before, after, centred } = axis;
  const padded = size + before + after;
  const nodes = Math.floor((inputSize - 1) / stride) + 1;
  const share = size / count;
  return taps(count, nodes, (index) => {
    const pixel = (index + 0.5) * share - 0.5;
    const at = centred
      ? (pixel + before + 0.5) * (inputSize / padded) - 0.5
      : ((pixel + before) * (inputSize - 1)) / Math.max(padded - 1, 1);
    return clamp(at, 0, inputSize - 1) / stride;
  });
}
