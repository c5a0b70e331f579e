/** Compositing on the graphics processor, with WebGL2. Pictures are not read back. */

import {
  coverRect,
  type Backdrop,
  type Compositor,
  type Drawable,
  type Matte,
} from './compositor.ts';
import { BLUR, COMPOSE, COPY, MOST_TAPS, OVERLAY, VERTEX } from './shaders.ts';

/** Wider Gaussians are worked out on a smaller picture, so that this many pixels are a sigma. */
const LARGEST_SIGMA = 6;

interface Program {
  program: WebGLProgram;
  places: Map<string, WebGLUniformLocation | null>;
}

interface Target {
  texture: WebGLTexture;
  framebuffer: WebGLFramebuffer;
  width: number;
  height: number;
}

/** Offsets and weights of half a Gaussian whose taps read two neighbours at once. */
export function gaussianTaps(sigma: number): { offsets: number[]; weights: number[] } {
  const radius = Math.min(Math.ceil(3 * sigma), 2 * (MOST_TAPS - 1));
  const bell = Array.from({ length: radius + 2 }, (_, k) =>
    k > radius ? 0 : Math.exp((-k * k) / (2 * sigma * sigma)),
  );
  const sum = bell[0] + 2 * bell.slice(1).reduce((total, value) => total + value, 0);
  const offsets = [0];
  const weights = [bell[0] / sum];
  for (let k = 1; k <= radius; k += 2) {
    const both = bell[k] + bell[k + 1];
    offsets.push((k * bell[k] + (k + 1) * bell[k + 1]) / both);
    weights.push(both / sum);
  }
  return { offsets, weights };
}

export class WebGL2Compositor implements Compositor {
  readonly name = 'webgl2';
  private readonly canvas: HTMLCanvasElement;
  private readonly gl: WebGL2RenderingContext;
  private readonly programs = new Map<string, Program>();
  private readonly textures = new Map<string, WebGLTexture>();
  private readonly targets = new Map<string, Target>();

  private constructor(canvas: HTMLCanvasElement, gl: WebGL2RenderingContext) {
    this.canvas = canvas;
    this.gl = gl;
    gl.bindVertexArray(gl.createVertexArray());
    gl.disable(gl.DEPTH_TEST);
    gl.disable(gl.BLEND);
  }

  /** A compositor, or undefined without WebGL2 or, unless `anyway`, where a CPU imitates it. */
  static create(anyway: boolean): WebGL2Compositor | undefined {
    const canvas = document.createElement('canvas');
    const gl = canvas.getContext('webgl2', {
      alpha: true,
      antialias: false,
      depth: false,
      powerPreference: 'high-performance',
      failIfMajorPerformanceCaveat: !anyway,
    });
    if (gl === null) return undefined;
    if (!anyway && isImitated(gl)) {
      gl.getExtension('WEBGL_lose_context')?.loseContext();
      return undefined;
    }
    return new WebGL2Compositor(canvas, gl);
  }

  /** False after the graphics processor was taken away; make another compositor then. */
  get works(): boolean {
    return !this.gl.isContextLost();
  }

  overlay(
    image: Drawable,
    mask: Drawable,
    width: number,
    height: number,
    opacity: number,
    blur: number,
  ): CanvasImageSource {
    const below = this.upload('image', image);
    const above = this.blurred('mask', this.upload('mask', mask), width, height, blur);
    this.run(
      'overlay',
      OVERLAY,
      { texture: null, width, height },
      { image: below, mask: above },
      (place) => {
        this.gl.uniform1f(place('opacity'), opacity);
      },
    );
    return this.canvas;
  }

  compose(
    image: Drawable,
    matte: Matte,
    width: number,
    height: number,
    edgeBlur: number,
    backdrop: Backdrop,
  ): CanvasImageSource {
    const { gl } = this;
    const below = this.upload('image', image);
    const shown = this.blurred('matte', this.uploadMatte(matte), width, height, edgeBlur);
    let behind = below;
    let part: [number, number, number, number] = [0, 0, 1, 1];
    let color = [0, 0, 0, 0];
    if (backdrop.kind === 'blurred') {
      behind = this.blurred('behind', below, width, height, backdrop.amount);
    } else if (backdrop.kind === 'picture') {
      behind = this.upload('backdrop', backdrop.picture);
      const [x, y, w, h] = coverRect(backdrop.width, backdrop.height, width, height);
      part = [x / backdrop.width, y / backdrop.height, w / backdrop.width, h / backdrop.height];
      if (backdrop.mirrored) part = [part[0] + part[2], part[1], -part[2], part[3]];
    } else if (backdrop.kind === 'color') {
      const { r, g, b, a } = backdrop.color;
      const alpha = a / 255;
      color = [(r / 255) * alpha, (g / 255) * alpha, (b / 255) * alpha, alpha];
    }
    const plain = backdrop.kind === 'color' || backdrop.kind === 'nothing';
    const pictures = { image: below, matte: shown, behind };
    this.run('compose', COMPOSE, { texture: null, width, height }, pictures, (place) => {
      gl.uniform1i(place('plain'), plain ? 1 : 0);
      gl.uniform4fv(place('plainColor'), color);
      gl.uniform4fv(place('behindPart'), part);
    });
    return this.canvas;
  }

  private upload(name: string, source: Drawable): WebGLTexture {
    const { gl } = this;
    const texture = this.texture(name);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, true);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, source as TexImageSource);
    return texture;
  }

  private uploadMatte({ data, width, height }: Matte): WebGLTexture {
    const { gl } = this;
    const texture = this.texture('matte bytes');
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.length);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R8, width, height, 0, gl.RED, gl.UNSIGNED_BYTE, bytes);
    return texture;
  }

  /** The picture blurred, in a smaller size where that makes no difference. */
  private blurred(
    name: string,
    picture: WebGLTexture,
    width: number,
    height: number,
    sigma: number,
  ): WebGLTexture {
    if (!(sigma > 0)) return picture;
    let source = picture;
    let w = width;
    let h = height;
    let left = sigma;
    // Halving reads between four pixels, which is their mean.
    for (let step = 0; left > LARGEST_SIGMA; step++, left /= 2) {
      w = Math.max(1, Math.round(w / 2));
      h = Math.max(1, Math.round(h / 2));
      const half = this.target(`${name} half ${step}`, w, h);
      this.run('copy', COPY, half, { picture: source });
      source = half.texture;
    }
    const { offsets, weights } = gaussianTaps(left);
    const pass = (from: WebGLTexture, to: Target, x: number, y: number): void => {
      this.run('blur', BLUR, to, { picture: from }, (place) => {
        this.gl.uniform2f(place('direction'), x, y);
        this.gl.uniform1i(place('taps'), offsets.length);
        this.gl.uniform1fv(place('offsets[0]'), offsets);
        this.gl.uniform1fv(place('weights[0]'), weights);
      });
    };
    const across = this.target(`${name} across`, w, h);
    const down = this.target(`${name} down`, w, h);
    pass(source, across, 1 / w, 0);
    pass(across.texture, down, 0, 1 / h);
    return down.texture;
  }

  /** Run a shader over a target, or over the canvas where the target has no texture. */
  private run(
    name: string,
    fragment: string,
    target: Target | { texture: null; width: number; height: number },
    pictures: Record<string, WebGLTexture>,
    set?: (place: (uniform: string) => WebGLUniformLocation | null) => void,
  ): void {
    const { gl, canvas } = this;
    const { width, height } = target;
    if (target.texture === null) {
      if (canvas.width !== width || canvas.height !== height) {
        canvas.width = width;
        canvas.height = height;
      }
      gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    } else {
      gl.bindFramebuffer(gl.FRAMEBUFFER, target.framebuffer);
    }
    gl.viewport(0, 0, width, height);
    const { program, places } = this.program(name, fragment);
    gl.useProgram(program);
    const place = (uniform: string): WebGLUniformLocation | null => {
      let location = places.get(uniform);
      if (location === undefined) {
        location = gl.getUniformLocation(program, uniform);
        places.set(uniform, location);
      }
      return location;
    };
    // The canvas has its first row at the bottom.
    gl.uniform1i(place('turned'), target.texture === null ? 1 : 0);
    Object.entries(pictures).forEach(([uniform, texture], unit) => {
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(gl.TEXTURE_2D, texture);
      gl.uniform1i(place(uniform), unit);
    });
    gl.activeTexture(gl.TEXTURE0);
    set?.(place);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  private program(name: string, fragment: string): Program {
    let entry = this.programs.get(name);
    if (entry === undefined) {
      const { gl } = this;
      const program = gl.createProgram();
      for (const [type, source] of [
        [gl.VERTEX_SHADER, VERTEX],
        [gl.FRAGMENT_SHADER, fragment],
      ] as const) {
        const shader = gl.createShader(type) as WebGLShader;
        gl.shaderSource(shader, source);
        gl.compileShader(shader);
        gl.attachShader(program, shader);
      }
      gl.linkProgram(program);
      if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
        throw new Error(`shader ${name}: ${gl.getProgramInfoLog(program) ?? ''}`);
      }
      entry = { program, places: new Map() };
      this.programs.set(name, entry);
    }
    return entry;
  }

  /** The texture of a name, bound; made once. */
  private texture(name: string): WebGLTexture {
    const { gl } = this;
    let texture = this.textures.get(name);
    if (texture === undefined) {
      texture = gl.createTexture();
      this.textures.set(name, texture);
      gl.bindTexture(gl.TEXTURE_2D, texture);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.MIRRORED_REPEAT);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.MIRRORED_REPEAT);
    }
    gl.bindTexture(gl.TEXTURE_2D, texture);
    return texture;
  }

  private target(name: string, width: number, height: number): Target {
    const { gl } = this;
    let target = this.targets.get(name);
    if (target === undefined) {
      const texture = this.texture(name);
      target = { texture, framebuffer: gl.createFramebuffer(), width: 0, height: 0 };
      this.targets.set(name, target);
    }
    if (target.width !== width || target.height !== height) {
      gl.bindTexture(gl.TEXTURE_2D, target.texture);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, width, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, null);
      gl.bindFramebuffer(gl.FRAMEBUFFER, target.framebuffer);
      gl.framebufferTexture2D(
        gl.FRAMEBUFFER,
        gl.COLOR_ATTACHMENT0,
        gl.TEXTURE_2D,
        target.texture,
        0,
      );
      target.width = width;
      target.height = height;
    }
    return target;
  }
}

function isImitated(gl: WebGL2RenderingContext): boolean {
  const info = gl.getExtension('WEBGL_debug_renderer_info');
  const name = String(gl.getParameter(info?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER));
  return /swiftshader|llvmpipe|software|basic render/i.test(name);
}
