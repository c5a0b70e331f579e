/** A frame and what was found in it, as the chosen effect shows it. */

import {
  blurBodyPart,
  drawBokehEffect,
  drawMask,
  drawPoses,
  replaceBackground,
  toMask,
  type PartSegmentation,
  type PersonSegmentation,
  type RGB,
} from '../src/index.ts';
import type { Picture } from './computing.ts';
import { mosaicLayer, partLayer, personColor, personLayer, solid } from './layers.ts';
import { showsPoses, type Settings } from './settings.ts';
import { frameSize } from './sources.ts';

/** What the painter needs beside the settings. */
export interface Look {
  /** Of the 24 parts. */
  colors: readonly RGB[];
  /** Ids of the parts that are blurred. */
  blurred: number[];
  backdrop: CanvasImageSource & { width: number; height: number };
  mirrored: boolean;
  /** Show the frame as it came. */
  original: boolean;
}

const BLACK = { r: 0, g: 0, b: 0, a: 255 };
const CLEAR = { r: 0, g: 0, b: 0, a: 0 };

export class Painter {
  private readonly context: CanvasRenderingContext2D;

  constructor(private readonly canvas: HTMLCanvasElement) {
    this.context = canvas.getContext('2d')!;
  }

  paint(picture: Picture, look: Look): void {
    const { width, height } = frameSize(picture.frame);
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
      this.canvas.style.setProperty('--ratio', String(width / height));
    }
    if (look.original || picture.segmentations.length === 0) this.nobody(picture, look);
    else this.effect(picture, look);
    if (!look.original && showsPoses(picture.settings)) this.poses(picture, look);
  }

  private effect(picture: Picture, { colors, blurred, backdrop, mirrored }: Look): void {
    const { canvas } = this;
    const { frame, settings: chosen } = picture;
    // Which of the two kinds it is follows from the effect that it was computed for.
    const parts = picture.segmentations as PartSegmentation[];
    const people = solidPeople(picture.segmentations as PersonSegmentation[]);
    switch (chosen.effect) {
      case 'parts':
        drawMask(canvas, frame, partLayer(parts, colors), chosen.opacity, 0, mirrored);
        break;
      case 'pixelate':
        drawMask(
          canvas, frame, mosaicLayer(parts, colors, chosen.pixelCell), chosen.opacity, 0, mirrored,
        );
        break;
      case 'face':
        blurBodyPart(canvas, frame, parts, blurred, chosen.partBlur, chosen.edgeBlur, mirrored);
        break;
      case 'mask': {
        const layer =
          chosen.maskCovers === 'person' ? personLayer(people) : toMask(people, CLEAR, BLACK);
        drawMask(canvas, frame, layer, chosen.opacity, chosen.maskBlur, mirrored);
        break;
      }
      case 'bokeh':
        drawBokehEffect(canvas, frame, people, chosen.backgroundBlur, chosen.edgeBlur, mirrored);
        break;
      case 'replace':
      case 'cutout':
        replaceBackground(canvas, frame, people, null, chosen.edgeBlur, mirrored);
        if (chosen.effect === 'replace') this.fill(chosen, backdrop);
        break;
      case 'pose':
        drawMask(canvas, frame, null, 0, 0, mirrored);
        break;
    }
  }

  /** Nobody is there: the plain frame, or what would be behind people. */
  private nobody({ frame, settings }: Picture, { mirrored, original, backdrop }: Look): void {
    const { context, canvas } = this;
    if (original || !(settings.effect === 'replace' || settings.effect === 'cutout')) {
      drawMask(canvas, frame, null, 0, 0, mirrored);
      return;
    }
    context.clearRect(0, 0, canvas.width, canvas.height);
    if (settings.effect === 'replace') this.fill(settings, backdrop);
  }

  /** Put the chosen background behind what is on the canvas; unlike people it is not mirrored. */
  private fill(settings: Settings, backdrop: Look['backdrop']): void {
    const { context, canvas } = this;
    const { width, height } = canvas;
    context.save();
    context.globalCompositeOperation = 'destination-over';
    if (settings.background === 'color') {
      context.fillStyle = settings.backgroundColor;
      context.fillRect(0, 0, width, height);
    } else {
      const scale = Math.max(width / backdrop.width, height / backdrop.height);
      const [wide, high] = [backdrop.width * scale, backdrop.height * scale];
      context.drawImage(backdrop, (width - wide) / 2, (height - high) / 2, wide, high);
    }
    context.restore();
  }

  private poses({ poses, settings }: Picture, { mirrored }: Look): void {
    const scale = Math.max(1, Math.max(this.canvas.width, this.canvas.height) / 640);
    poses.forEach((pose, index) => {
      const color = personColor(settings.people === 'each' ? index : 0);
      drawPoses(this.canvas, [pose], {
        color: `rgb(${color.join(' ')})`,
        lineWidth: 3 * scale,
        radius: 4.5 * scale,
        flipHorizontal: mirrored,
      });
    });
  }
}

/** The people with their soft mask, where the answer has one, made solid. */
function solidPeople(people: PersonSegmentation[]): PersonSegmentation[] {
  const [{ alpha }] = people;
  if (!alpha) return people;
  const shared = solid(alpha);
  return people.map((person) => ({ ...person, alpha: shared }));
}
