/** Starting onnxruntime-web: the WASM build at once, the WebGPU build when it is asked for. */

import * as wasm from 'onnxruntime-web/wasm';

import type { Runtime } from '../engine.ts';
import { BackendError } from '../errors.ts';

/** More threads than this make networks of this size no faster. */
const MOST_THREADS = 4;

/** Threads to use, and why not more. */
export function chooseThreads(wanted: number | undefined): { threads: number; why: string } {
  if (typeof SharedArrayBuffer === 'undefined' || !globalThis.crossOriginIsolated) {
    return { threads: 1, why: 'one thread, for the page is not cross-origin isolated' };
  }
  const cores = navigator.hardwareConcurrency || 1;
  const threads = Math.max(1, Math.min(wanted ?? MOST_THREADS, cores));
  return { threads, why: `${threads} of ${cores} threads` };
}

/** The WASM build. */
export function wasmRuntime(assetBase: string, threads: number): Runtime {
  configure(wasm.env, assetBase, 'ort-wasm-simd-threaded', threads);
  return wasm;
}

/**
 * The WebGPU build.
 *
 * It waits for the GPU by way of JavaScript promise integration, which makes it half the size of
 * the build for browsers without; those run on WASM.
 *
 * @throws BackendError if this browser or this machine has no WebGPU for it.
 */
export async function webgpuRuntime(assetBase: string): Promise<Runtime> {
  if (!('gpu' in navigator)) throw new BackendError('this browser has no WebGPU');
  if (!('Suspending' in WebAssembly)) {
    throw new BackendError('this browser has no JavaScript promise integration');
  }
  const adapter = await navigator.gpu.requestAdapter();
  if (adapter === null) throw new BackendError('WebGPU finds no graphics processor');
  const webgpu = await import('onnxruntime-web/jspi');
  configure(webgpu.env, assetBase, 'ort-wasm-simd-threaded.jspi', 1);
  return webgpu;
}

/** Whether WebGPU would only be imitated on the CPU. */
export async function isWebgpuSoftware(): Promise<boolean> {
  const adapter = await navigator.gpu?.requestAdapter();
  return adapter?.info.isFallbackAdapter ?? false;
}

function configure(env: typeof wasm.env, assetBase: string, file: string, threads: number): void {
  env.logLevel = 'error';
  env.wasm.numThreads = threads;
  env.wasm.wasmPaths = { mjs: `${assetBase}${file}.mjs`, wasm: `${assetBase}${file}.wasm` };
}
