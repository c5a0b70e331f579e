/** Segmentations as pictures that are laid over a frame: clear where nobody is. */

import type { Alpha, AnySegmentation, RGB } from '../src/index.ts';

/** For people one by one; the first also for all together. */
const PERSON_COLORS: readonly RGB[] = [
  [124, 92, 232],
  [26, 182, 150],
  [255, 138, 76],
  [232, 84, 140],
  [64, 156, 255],
  [226, 180, 40],
];

export const personColor = (index: number): RGB => PERSON_COLORS[index % PERSON_COLORS.length];

/** Every part in its colour. */
export function partLayer(segmentations: readonly AnySegmentation[], colors: readonly RGB[]): ImageData {
  const { image, pixels } = blank(segmentations[0]);
  const palette = Uint32Array.from(colors, packed);
  for (const { data } of segmentations) {
    for (let at = 0; at < data.length; at++) {
      if (data[at] >= 0) pixels[at] = palette[data[at]];
    }
  }
  return image;
}

/** Every part in its colour, in square cells; a cell is what its middle pixel is. */
export function mosaicLayer(
  segmentations: readonly AnySegmentation[],
  colors: readonly RGB[],
  cell: number,
): ImageData {
  const { image, pixels } = blank(segmentations[0]);
  const { width, height } = image;
  const palette = Uint32Array.from(colors, packed);
  for (const { data } of segmentations) {
    for (let y = 0; y < height; y += cell) {
      const middle = Math.min(height - 1, y + (cell >> 1)) * width;
      for (let x = 0; x < width; x += cell) {
        const part = data[middle + Math.min(width - 1, x + (cell >> 1))];
        if (part < 0) continue;
        // The last row and column of a cell stay clear: the lines between cells.
        const right = Math.min(width, x + cell - 1);
        for (let row = y; row < Math.min(height, y + cell - 1); row++) {
          pixels.fill(palette[part], row * width + x, row * width + right);
        }
      }
    }
  }
  return image;
}

/** Every person in a colour. */
export function personLayer(segmentations: readonly AnySegmentation[]): ImageData {
  const { image, pixels } = blank(segmentations[0]);
  segmentations.forEach(({ data }, index) => {
    const color = packed(personColor(index));
    for (let at = 0; at < data.length; at++) if (data[at] === 1) pixels[at] = color;
  });
  return image;
}

/**
 * The soft mask, opaque wherever the mask is: nobody shows through where the model is unsure, and
 * edges fade on their outer side alone.
 */
export const solid = (alpha: Alpha): Alpha => ({
  ...alpha,
  // Half opaque, 128, is the threshold; a quarter, 64, becomes clear. Others are clamped.
  data: alpha.data.map((value) => (value - 64) * 4),
});

const OPAQUE = 0xff000000;

/** As four bytes in memory: red, green, blue, alpha (all machines of today are little-endian). */
const packed = ([red, green, blue]: RGB): number =>
  (OPAQUE | (blue << 16) | (green << 8) | red) >>> 0;

function blank(size: { width: number; height: number }): { image: ImageData; pixels: Uint32Array } {
  const image = new ImageData(size.width, size.height);
  return { image, pixels: new Uint32Array(image.data.buffer) };
}
