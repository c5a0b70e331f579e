/**
 * The original's drawing functions: pictures with masks, bokeh, pixels and blurred parts, drawn on
 * a canvas that takes the picture's size.
 */

import { InvalidArgumentError } from '../errors.ts';
import { sizeOf } from '../frames.ts';
import type {
  AnyPartSegmentation,
  AnyPersonSegmentation,
  AnySegmentation,
  Color,
  ImageInput,
} from '../types.ts';
import type { Backdrop, Drawable, Matte } from './compositor.ts';
import { listOf, toMask, wantedValues } from './masks.ts';
import { compositor } from './renderer.ts';

type OneOrMore<Item> = Item | readonly Item[];
type Canvas = HTMLCanvasElement | OffscreenCanvas;
type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

const OPAQUE: Color = { r: 0, g: 0, b: 0, a: 255 };
const CLEAR: Color = { r: 0, g: 0, b: 0, a: 0 };
const FACE = [0, 1];

interface Size {
  width: number;
  height: number;
}

/** The picture with a mask over it; without a mask the picture alone. */
export function drawMask(
  canvas: Canvas,
  image: ImageInput,
  maskImage: ImageData | null,
  maskOpacity = 0.7,
  maskBlurAmount = 0,
  flipHorizontal = false,
): void {
  const size = sizeOf(image);
  if (maskImage !== null) assertSameSize(size, maskImage);
  const picture = drawable(image, 'image');
  const drawn =
    maskImage === null
      ? picture
      : compositor().overlay(
          picture,
          drawable(maskImage, 'mask'),
          size.width,
          size.height,
          maskOpacity,
          maskBlurAmount,
        );
  show(canvas, drawn, size, flipHorizontal);
}

/** The picture with the mask over it in large pixels. */
export function drawPixelatedMask(
  canvas: Canvas,
  image: ImageInput,
  maskImage: ImageData | null,
  maskOpacity = 0.7,
  maskBlurAmount = 0,
  flipHorizontal = false,
  pixelCellWidth = 10,
): void {
  if (maskImage === null) return drawMask(canvas, image, null, 0, 0, flipHorizontal);
  const size = sizeOf(image);
  assertSameSize(size, maskImage);
  const { width, height } = size;
  const columns = Math.max(1, Math.trunc(width / pixelCellWidth));
  const rows = Math.max(1, Math.trunc(height / pixelCellWidth));

  const mask = drawable(maskImage, 'mask');
  const small = scratch('cells', columns, rows);
  if (maskBlurAmount > 0) small.filter = `blur(${(maskBlurAmount * columns) / width}px)`;
  small.drawImage(mask, 0, 0, columns, rows);
  small.filter = 'none';

  const context = scratch('pixelated', width, height);
  context.imageSmoothingEnabled = false;
  context.drawImage(small.canvas, 0, 0, width, height);
  context.imageSmoothingEnabled = true;
  context.strokeStyle = '#ffffff';
  context.lineWidth = 1;
  context.beginPath();
  for (let column = 0; column < columns; column++) {
    context.moveTo(pixelCellWidth * column, 0);
    context.lineTo(pixelCellWidth * column, height);
  }
  for (let row = 0; row < rows; row++) {
    context.moveTo(0, pixelCellWidth * row);
    context.lineTo(width, pixelCellWidth * row);
  }
  context.stroke();
  context.globalAlpha = 1 - maskOpacity;
  context.drawImage(drawable(image, 'image'), 0, 0, width, height);
  context.globalAlpha = 1;
  show(canvas, context.canvas, size, flipHorizontal);
}

/** The picture, blurred where nobody is. Of an empty list everything is blurred. */
export function drawBokehEffect(
  canvas: Canvas,
  image: ImageInput,
  multiPersonSegmentation: OneOrMore<AnyPersonSegmentation | AnyPartSegmentation>,
  backgroundBlurAmount = 3,
  edgeBlurAmount = 3,
  flipHorizontal = false,
): void {
  const backdrop: Backdrop = { kind: 'blurred', amount: backgroundBlurAmount };
  drawComposed(
    canvas,
    image,
    personMatte(multiPersonSegmentation),
    edgeBlurAmount,
    backdrop,
    flipHorizontal,
  );
}

/**
 * The people of the picture before something else. Our own.
 *
 * @param background - a colour, a picture (it fills the canvas), or null for nothing: transparent.
 * @param flipHorizontal - mirror the people; the background stays as it is.
 */
export function replaceBackground(
  canvas: Canvas,
  image: ImageInput,
  segmentation: OneOrMore<AnyPersonSegmentation | AnyPartSegmentation>,
  background: Color | ImageInput | null,
  edgeBlurAmount = 3,
  flipHorizontal = false,
): void {
  const backdrop = backdropOf(background, flipHorizontal);
  drawComposed(canvas, image, personMatte(segmentation), edgeBlurAmount, backdrop, flipHorizontal);
}

function backdropOf(background: Color | ImageInput | null, mirrored: boolean): Backdrop {
  if (background === null) return { kind: 'nothing' };
  if ('r' in background) return { kind: 'color', color: background };
  const picture = drawable(background, 'backdrop');
  return { kind: 'picture', picture, mirrored, ...sizeOf(background) };
}

/** The picture with some parts blurred; of an empty list of people, everything, as in the original. */
export function blurBodyPart(
  canvas: Canvas,
  image: ImageInput,
  partSegmentation: OneOrMore<AnyPartSegmentation>,
  bodyPartIdsToBlur: readonly number[] = FACE,
  backgroundBlurAmount = 3,
  edgeBlurAmount = 3,
  flipHorizontal = false,
): void {
  const backdrop: Backdrop = { kind: 'blurred', amount: backgroundBlurAmount };
  const mask = toMask(partSegmentation, CLEAR, OPAQUE, true, bodyPartIdsToBlur);
  const matte = mask === null ? NOTHING : alphaOf(mask);
  drawComposed(canvas, image, matte, edgeBlurAmount, backdrop, flipHorizontal);
}

/** A matte that shows nothing. */
const NOTHING: Matte = { data: new Uint8Array(1), width: 1, height: 1 };

function alphaOf({ data, width, height }: ImageData): Matte {
  const bytes = new Uint8Array(width * height);
  for (let at = 0; at < bytes.length; at++) bytes[at] = data[4 * at + 3];
  return { data: bytes, width, height };
}

/** Where people are: the soft mask if the answer has one, else the mask as it is. */
function personMatte(segmentation: OneOrMore<AnySegmentation>): Matte {
  const people = listOf(segmentation);
  if (people.length === 0) return NOTHING;
  const [first] = people;
  if (first.alpha !== undefined && people.every((person) => person.alpha === first.alpha)) {
    return first.alpha;
  }
  const { width, height } = first;
  const bytes = new Uint8Array(width * height);
  for (const { data } of people) {
    // Persons are 1 in a mask and 0..23 in a part map, where -1 is nobody.
    const wanted = data instanceof Int32Array ? PARTS_WANTED : PERSON_WANTED;
    for (let at = 0; at < data.length; at++) {
      if (wanted[data[at] & 255] === 1) bytes[at] = 255;
    }
  }
  return { data: bytes, width, height };
}

const PERSON_WANTED = wantedValues([1]);
const PARTS_WANTED = wantedValues(Array.from({ length: 24 }, (_, part) => part));

function drawComposed(
  canvas: Canvas,
  image: ImageInput,
  matte: Matte,
  edgeBlur: number,
  backdrop: Backdrop,
  flip: boolean,
): void {
  const size = sizeOf(image);
  const picture = drawable(image, 'image');
  const { width, height } = size;
  const edge = matte === NOTHING ? 0 : edgeBlur;
  const drawn = compositor().compose(picture, matte, width, height, edge, backdrop);
  show(canvas, drawn, size, flip);
}

/** Put a picture on the caller's canvas, which takes its size. */
function show(
  canvas: Canvas,
  picture: CanvasImageSource,
  { width, height }: Size,
  flip: boolean,
): void {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext('2d') as Context | null;
  if (context === null) {
    throw new InvalidArgumentError('canvas: expected one with a 2D context, got one with another.');
  }
  context.save();
  context.setTransform(flip ? -1 : 1, 0, 0, 1, flip ? width : 0, 0);
  // "copy" clears what was there, for transparent results.
  context.globalCompositeOperation = 'copy';
  context.globalAlpha = 1;
  context.drawImage(picture, 0, 0, width, height);
  context.restore();
}

const scratches = new Map<string, CanvasRenderingContext2D>();

/** A canvas that is used again under its name, empty, in this size. */
function scratch(name: string, width: number, height: number): CanvasRenderingContext2D {
  let context = scratches.get(name);
  if (context === undefined) {
    context = document.createElement('canvas').getContext('2d') as CanvasRenderingContext2D;
    scratches.set(name, context);
  }
  const { canvas } = context;
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  context.clearRect(0, 0, width, height);
  return context;
}

/** The picture itself, or a canvas with it where it is ImageData, which cannot be drawn. */
function drawable(image: ImageInput, name: string): Drawable {
  if (!(image instanceof ImageData)) return image;
  const context = scratch(`drawable ${name}`, image.width, image.height);
  context.putImageData(image, 0, 0);
  return context.canvas;
}

function assertSameSize(image: Size, mask: Size): void {
  if (image.width !== mask.width || image.height !== mask.height) {
    throw new InvalidArgumentError(
      `error: dimensions must be the same. image has dimensions ${image.width}x${image.height}, ` +
        `mask has dimensions ${mask.width}x${mask.height}`,
    );
  }
}
