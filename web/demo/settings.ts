/** What the visitor has chosen. Names are those of the form's fields in index.html. */

import type { Backend, InternalResolution } from '../src/index.ts';

export type Effect =
  | 'parts' | 'pose' | 'face' | 'pixelate' // of the body
  | 'replace' | 'bokeh' | 'cutout' | 'mask'; // of the whole person

export interface Settings {
  effect: Effect;
  people: 'together' | 'each';
  skeleton: boolean;
  opacity: number;
  colorScale: 'rainbow' | 'warm' | 'spectral';
  pixelCell: number;
  background: 'picture' | 'color';
  backgroundColor: string;
  maskCovers: 'background' | 'person';
  maskBlur: number;
  backgroundBlur: number;
  partBlur: number;
  edgeBlur: number;
  threshold: number;
  smoothing: boolean;
  resolution: InternalResolution & string;
  maxDetections: number;
  scoreThreshold: number;
  minKeypointScore: number;
  nmsRadius: number;
  refineSteps: number;
  model: string;
  backend: 'auto' | Backend;
}

/** The library's defaults, but for opacity and blur, where a first look should show the effect. */
export const DEFAULTS: Readonly<Settings> = {
  effect: 'parts',
  people: 'together',
  skeleton: false,
  opacity: 0.7,
  colorScale: 'rainbow',
  pixelCell: 10,
  background: 'picture',
  backgroundColor: '#1fa971',
  maskCovers: 'background',
  maskBlur: 0,
  backgroundBlur: 8,
  partBlur: 14,
  edgeBlur: 2,
  threshold: 0.7,
  smoothing: true,
  resolution: 'medium',
  maxDetections: 10,
  scoreThreshold: 0.4,
  minKeypointScore: 0.3,
  nmsRadius: 20,
  refineSteps: 10,
  model: '',
  backend: 'auto',
};

/** Whether the effect needs the map of the 24 parts. */
export const needsParts = (effect: Effect): boolean =>
  effect === 'parts' || effect === 'pixelate' || effect === 'face';

/** Whether the effect needs a soft mask. */
export const needsAlpha = (effect: Effect): boolean =>
  effect === 'replace' || effect === 'bokeh' || effect === 'cutout';

/** Whether poses are drawn: bokeh and cut-outs stay free of lines, as in the original's demo. */
export const showsPoses = ({ effect, skeleton }: Settings): boolean =>
  effect === 'pose' || (skeleton && (needsParts(effect) || effect === 'mask'));
