/**
 * One model file, run by onnxruntime-web: network input in, named heads out.
 *
 * Every set of heads that is asked for gets a session of its own, made when first used and kept.
 */

import type { InferenceSession, Tensor } from 'onnxruntime-web/wasm';

import { BackendError, ModelError } from './errors.ts';
import type { Heads } from './heads.ts';
import { OnnxModel } from './onnx/model.ts';
import type { Backend, ModelInfo } from './types.ts';

const INPUT = 'image';

/** What an engine needs of onnxruntime-web; the WASM and the WebGPU build both have it. */
export interface Runtime {
  InferenceSession: typeof InferenceSession;
  Tensor: typeof Tensor;
}

export class Engine {
  private readonly model: OnnxModel;
  private readonly sessions = new Map<string, Promise<InferenceSession>>();

  constructor(
    private readonly runtime: Runtime,
    readonly backend: Backend,
    bytes: Uint8Array,
  ) {
    this.model = new OnnxModel(bytes);
  }

  get info(): ModelInfo {
    return this.model.info;
  }

  /**
   * Compute some heads, and nothing else.
   *
   * @param input - float32 (height, width, 3), preprocessed.
   */
  async run(
    names: readonly string[],
    input: Float32Array,
    height: number,
    width: number,
  ): Promise<Heads> {
    const session = await this.session(names);
    const image = new this.runtime.Tensor('float32', input, [1, height, width, 3]);
    const outputs = await session.run({ [INPUT]: image });
    const heads: Heads = {};
    for (const name of names) {
      const { dims, data } = outputs[name];
      const [, rows, columns, channels] = dims;
      heads[name] = { data: data as Float32Array, rows, columns, channels };
    }
    return heads;
  }

  /** Make the session of these heads, which the first `run` of them would do. */
  async prepare(names: readonly string[]): Promise<void> {
    await this.session(names);
  }

  /** Free the sessions; the engine must not be used any more. */
  async dispose(): Promise<void> {
    const sessions = await Promise.allSettled(this.sessions.values());
    this.sessions.clear();
    for (const session of sessions) {
      if (session.status === 'fulfilled') await session.value.release();
    }
  }

  private session(names: readonly string[]): Promise<InferenceSession> {
    const key = names.join();
    let session = this.sessions.get(key);
    if (session === undefined) {
      session = this.create(names);
      this.sessions.set(key, session);
      // A session that could not be made is tried again at the next call.
      session.catch(() => this.sessions.delete(key));
    }
    return session;
  }

  private async create(names: readonly string[]): Promise<InferenceSession> {
    try {
      return await this.runtime.InferenceSession.create(this.model.prune(names), {
        executionProviders: [this.backend],
        graphOptimizationLevel: 'all',
        logSeverityLevel: 3,
      });
    } catch (error) {
      if (error instanceof ModelError) throw error;
      if (String(error).includes('no available backend')) {
        throw new BackendError(
          `onnxruntime-web does not start on ${this.backend}: ${String(error)}; its files must ` +
            'lie in assetBase, and a content security policy must allow wasm-unsafe-eval.',
        );
      }
      throw new ModelError(
        `model ${this.info.name}: onnxruntime-web refuses its graph: ${String(error)}`,
      );
    }
  }
}
