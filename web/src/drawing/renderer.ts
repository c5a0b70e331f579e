/** Which compositor draws: one for the page, made when first needed. */

import { BackendError } from '../errors.ts';
import { Canvas2dCompositor } from './canvas2d.ts';
import type { Compositor } from './compositor.ts';
import { WebGL2Compositor } from './webgl2.ts';

export type Renderer = 'auto' | 'webgl2' | 'canvas2d';

let wanted: Renderer = 'auto';
let current: Compositor | undefined;

/** Choose what effects are drawn with; "auto", the default, is WebGL2 where a GPU is behind it. */
export function setRenderer(renderer: Renderer): void {
  wanted = renderer;
  current = undefined;
}

/** What effects are drawn with. */
export function renderer(): 'webgl2' | 'canvas2d' {
  return compositor().name;
}

/** The page's compositor. */
export function compositor(): Compositor {
  if (current instanceof WebGL2Compositor && !current.works) current = undefined;
  current ??= create();
  return current;
}

function create(): Compositor {
  if (wanted === 'canvas2d') return new Canvas2dCompositor();
  const gpu = WebGL2Compositor.create(wanted === 'webgl2');
  if (gpu !== undefined) return gpu;
  if (wanted === 'webgl2') throw new BackendError('this browser gives no WebGL2');
  return new Canvas2dCompositor();
}
