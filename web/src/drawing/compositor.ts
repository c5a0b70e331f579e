/** What compositing can be asked for, whatever it runs on. */

import type { Color } from '../types.ts';

/** A picture that can be drawn. */
export type Drawable = Exclude<CanvasImageSource, SVGImageElement>;

/** How visible the foreground is, 0..255, on a grid that covers the picture. */
export interface Matte {
  data: Uint8Array | Uint8ClampedArray;
  width: number;
  height: number;
}

/** What lies behind the foreground. */
export type Backdrop =
  | { kind: 'blurred'; amount: number }
  | { kind: 'color'; color: Color }
  | { kind: 'picture'; picture: Drawable; width: number; height: number; mirrored: boolean }
  | { kind: 'nothing' };

/**
 * Makes pictures of a given size; the result is valid until the next call.
 *
 * Blurs are Gaussian with sigma = amount; beyond a picture's border its mirror image counts, so
 * that borders stay opaque.
 */
export interface Compositor {
  readonly name: 'webgl2' | 'canvas2d';

  /** The picture, and over it the mask, blurred and as opaque as `opacity` says. */
  overlay(
    image: Drawable,
    mask: Drawable,
    width: number,
    height: number,
    opacity: number,
    blur: number,
  ): CanvasImageSource;

  /** The picture where the matte shows it, the backdrop elsewhere. */
  compose(
    image: Drawable,
    matte: Matte,
    width: number,
    height: number,
    edgeBlur: number,
    backdrop: Backdrop,
  ): CanvasImageSource;
}

/** Part of a picture of one size that fills another without being stretched: x, y, w, h. */
export function coverRect(
  width: number,
  height: number,
  targetWidth: number,
  targetHeight: number,
): [number, number, number, number] {
  const scale = Math.max(targetWidth / width, targetHeight / height);
  const w = targetWidth / scale;
  const h = targetHeight / scale;
  return [(width - w) / 2, (height - h) / 2, w, h];
}
