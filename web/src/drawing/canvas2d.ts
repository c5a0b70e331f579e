/** Compositing with canvas 2D: where there is no graphics processor. */

import {
  coverRect,
  type Backdrop,
  type Compositor,
  type Drawable,
  type Matte,
} from './compositor.ts';

type Canvas = HTMLCanvasElement;

/** A Gaussian is zero to the eye beyond so many sigmas. */
const REACH = 3;

function newCanvas(): Canvas {
  return document.createElement('canvas');
}

function contextOf(canvas: Canvas): CanvasRenderingContext2D {
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('this browser gives no 2D canvas');
  return context;
}

/** The canvas, empty, in this size. */
function cleared(canvas: Canvas, width: number, height: number): CanvasRenderingContext2D {
  const context = contextOf(canvas);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.globalCompositeOperation = 'source-over';
  context.globalAlpha = 1;
  context.filter = 'none';
  context.clearRect(0, 0, width, height);
  return context;
}

export class Canvas2dCompositor implements Compositor {
  readonly name = 'canvas2d';
  private readonly result = newCanvas();
  private readonly matte = newCanvas();
  private readonly padded = newCanvas();
  private readonly blurred = newCanvas();
  private matteData: ImageData | undefined;

  overlay(
    image: Drawable,
    mask: Drawable,
    width: number,
    height: number,
    opacity: number,
    blur: number,
  ): CanvasImageSource {
    const over = blur > 0 ? this.blur(mask, width, height, blur) : mask;
    const context = cleared(this.result, width, height);
    context.drawImage(image, 0, 0, width, height);
    context.globalAlpha = opacity;
    context.drawImage(over, 0, 0, width, height);
    return this.result;
  }

  compose(
    image: Drawable,
    matte: Matte,
    width: number,
    height: number,
    edgeBlur: number,
    backdrop: Backdrop,
  ): CanvasImageSource {
    const drawn = this.draw(matte);
    const mask = edgeBlur > 0 ? this.blur(drawn, width, height, edgeBlur) : drawn;
    const context = cleared(this.result, width, height);
    context.drawImage(image, 0, 0, width, height);
    context.globalCompositeOperation = 'destination-in';
    context.drawImage(mask, 0, 0, width, height);
    context.globalCompositeOperation = 'destination-over';
    switch (backdrop.kind) {
      case 'blurred': {
        const { amount } = backdrop;
        const behind = amount > 0 ? this.blur(image, width, height, amount) : image;
        context.drawImage(behind, 0, 0, width, height);
        break;
      }
      case 'color': {
        const { r, g, b, a } = backdrop.color;
        context.fillStyle = `rgba(${r}, ${g}, ${b}, ${a / 255})`;
        context.fillRect(0, 0, width, height);
        break;
      }
      case 'picture': {
        const part = coverRect(backdrop.width, backdrop.height, width, height);
        if (backdrop.mirrored) context.setTransform(-1, 0, 0, 1, width, 0);
        context.drawImage(backdrop.picture, ...part, 0, 0, width, height);
        break;
      }
      case 'nothing':
    }
    return this.result;
  }

  private draw({ data, width, height }: Matte): Canvas {
    const context = cleared(this.matte, width, height);
    if (this.matteData?.width !== width || this.matteData.height !== height) {
      this.matteData = new ImageData(width, height);
    }
    const bytes = this.matteData.data;
    for (let at = 0; at < data.length; at++) bytes[4 * at + 3] = data[at];
    context.putImageData(this.matteData, 0, 0);
    return this.matte;
  }

  private blur(source: Drawable, width: number, height: number, amount: number): Canvas {
    const margin = Math.min(Math.ceil(REACH * amount), width, height);
    const around = cleared(this.padded, width + 2 * margin, height + 2 * margin);
    for (const row of [-1, 0, 1]) {
      for (const column of [-1, 0, 1]) {
        // Tiles beside the middle one are its mirror images.
        const x = margin + (column === 0 ? 0 : column === 1 ? 2 * width : 0);
        const y = margin + (row === 0 ? 0 : row === 1 ? 2 * height : 0);
        around.setTransform(column === 0 ? 1 : -1, 0, 0, row === 0 ? 1 : -1, x, y);
        around.drawImage(source, 0, 0, width, height);
      }
    }
    const context = cleared(this.blurred, width, height);
    if (typeof context.filter === 'string') {
      context.filter = `blur(${amount}px)`;
      context.drawImage(this.padded, -margin, -margin);
      context.filter = 'none';
    } else {
      this.blurByScaling(context, margin, amount);
    }
    return this.blurred;
  }

  /** Where canvases have no filters: shrink and enlarge, which looks much the same. */
  private blurByScaling(context: CanvasRenderingContext2D, margin: number, amount: number): void {
    const { width, height } = this.padded;
    const factor = 1 + 1.5 * amount;
    const small = newCanvas();
    small.width = Math.max(1, Math.round(width / factor));
    small.height = Math.max(1, Math.round(height / factor));
    contextOf(small).drawImage(this.padded, 0, 0, small.width, small.height);
    context.drawImage(small, -margin, -margin, width, height);
  }
}
