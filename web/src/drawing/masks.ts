/** Segmentations to pictures: `toMask`, `toColoredPartMask`, and their names in BodyPix 1. */

import { COLOR_SCALES, type RGB } from '../body.ts';
import { InvalidArgumentError } from '../errors.ts';
import type { AnyPartSegmentation, AnySegmentation, Color } from '../types.ts';

type OneOrMore<Item> = Item | readonly Item[];

const TRANSPARENT: Color = { r: 0, g: 0, b: 0, a: 0 };
const BLACK: Color = { r: 0, g: 0, b: 0, a: 255 };
const WHITE: Color = { r: 255, g: 255, b: 255, a: 255 };
const CONTOUR: Color = { r: 0, g: 255, b: 255, a: 255 };

const PERSON_IDS: readonly number[] = [1];

/** A list of what may be one thing. */
export function listOf<Item>(items: OneOrMore<Item>): readonly Item[] {
  return (Array.isArray(items) ? items : [items]) as readonly Item[];
}

/** A colour as one number, in the byte order of ImageData. */
function packed({ r, g, b, a }: Color): number {
  return new Uint32Array(new Uint8ClampedArray([r, g, b, a]).buffer)[0];
}

/**
 * A picture with one colour where anybody is and another elsewhere; null for an empty list.
 *
 * @param drawContour - cyan along the edges, by the original's rule (diagonal neighbours only).
 * @param foregroundIds - values of `data` that count as foreground: part ids, or 1 for persons.
 */
export function toMask(
  segmentation: OneOrMore<AnySegmentation>,
  foreground: Color = TRANSPARENT,
  background: Color = BLACK,
  drawContour = false,
  foregroundIds: readonly number[] = PERSON_IDS,
): ImageData | null {
  const people = listOf(segmentation);
  if (people.length === 0) return null;
  const { width, height } = people[0];
  const picture = new ImageData(width, height);
  const pixels = new Uint32Array(picture.data.buffer).fill(packed(background));
  const wanted = wantedValues(foregroundIds);
  const color = packed(foreground);
  for (const { data } of people) {
    for (let at = 0; at < data.length; at++) {
      if (wanted[data[at] & 255] === 1) pixels[at] = color;
    }
  }
  if (drawContour) {
    for (const { data } of people) addContour(pixels, data, width, height, wanted);
  }
  return picture;
}

/** Table of bytes: 1 for wanted values; -1, nobody, is 255 there. */
export function wantedValues(ids: readonly number[]): Uint8Array {
  const wanted = new Uint8Array(256);
  for (const id of ids) wanted[id & 255] = 1;
  return wanted;
}

/**
 * The original paints the four diagonal neighbours of every foreground pixel with a diagonal
 * neighbour outside, while it goes through the rows; what it paints ahead is painted over again.
 */
function addContour(
  pixels: Uint32Array,
  data: AnySegmentation['data'],
  width: number,
  height: number,
  wanted: Uint8Array,
): void {
  const cyan = packed(CONTOUR);
  for (let y = 1; y < height - 1; y++) {
    for (let at = y * width + 1; at < (y + 1) * width - 1; at++) {
      if (wanted[data[at] & 255] === 0) continue;
      const inside =
        wanted[data[at - width - 1] & 255] === 1 &&
        wanted[data[at - width + 1] & 255] === 1 &&
        wanted[data[at + width - 1] & 255] === 1 &&
        wanted[data[at + width + 1] & 255] === 1;
      if (inside) continue;
      pixels[at - width - 1] = cyan;
      pixels[at - width + 1] = cyan;
    }
  }
}

/** A picture with every part in its colour, white elsewhere; null for an empty list. */
export function toColoredPartMask(
  segmentation: OneOrMore<AnyPartSegmentation>,
  partColors: readonly RGB[] = COLOR_SCALES.rainbow,
): ImageData | null {
  const people = listOf(segmentation);
  if (people.length === 0) return null;
  const { width, height } = people[0];
  const picture = new ImageData(width, height);
  const pixels = new Uint32Array(picture.data.buffer).fill(packed(WHITE));
  const colors = partColors.map(([r, g, b]) => packed({ r, g, b, a: 255 }));
  for (const { data } of people) {
    for (let at = 0; at < data.length; at++) {
      const part = data[at];
      if (part === -1) continue;
      if (part >= colors.length) {
        throw new InvalidArgumentError(`No color could be found for part id ${part}`);
      }
      pixels[at] = colors[part];
    }
  }
  return picture;
}

/** BodyPix 1: black where nobody is, or with `maskBackground` false where somebody is. */
export function toMaskImageData(segmentation: AnySegmentation, maskBackground = true): ImageData {
  const [inside, outside] = maskBackground ? [TRANSPARENT, BLACK] : [BLACK, TRANSPARENT];
  return toMask(segmentation, inside, outside) as ImageData;
}

/** BodyPix 1: `toColoredPartMask` of one segmentation, with colours that must be given. */
export function toColoredPartImageData(
  segmentation: AnyPartSegmentation,
  partColors: readonly RGB[],
): ImageData {
  return toColoredPartMask(segmentation, partColors) as ImageData;
}
