/** The worker: holds the network and answers the page's requests, one after the other. */

import { Engine } from '../engine.ts';
import { BackendError, toPlainError } from '../errors.ts';
import { Segmenter } from '../segmenter.ts';
import { Smoother } from '../temporal/smoother.ts';
import type { BackendReport } from '../types.ts';
import { fetchModel, findModel } from './models.ts';
import { PixelReader } from './pixels.ts';
import { prove } from './proof.ts';
import type { Answers, FromWorker, LoadRequest, SegmentRequest, ToWorker } from './protocol.ts';
import { chooseThreads, isWebgpuSoftware, wasmRuntime, webgpuRuntime } from './runtimes.ts';

const scope = self as unknown as {
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
};

let engine: Engine | undefined;
let segmenter: Segmenter | undefined;
const reader = new PixelReader();
const films = new Map<number, Smoother>();

/** Everything that uses the network waits here for its turn. */
let turn: Promise<unknown> = Promise.resolve();

function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  const result = turn.then(work);
  turn = result.catch(() => undefined);
  return result;
}

scope.onmessage = ({ data: request }) => {
  void inTurn(() => answer(request)).then(
    ({ value, transfer }) => scope.postMessage({ id: request.id, value }, transfer),
    (error: unknown) => scope.postMessage({ id: request.id, error: toPlainError(error) }),
  );
};

interface Reply {
  value: Answers[keyof Answers];
  transfer?: Transferable[];
}

async function answer(request: ToWorker): Promise<Reply> {
  switch (request.type) {
    case 'load':
      return { value: await load(request) };
    case 'segment':
      return segment(request);
    case 'forget':
      films.delete(request.film);
      return { value: undefined };
  }
}

async function segment({ picture, task, options, film }: SegmentRequest): Promise<Reply> {
  if (segmenter === undefined) throw new BackendError('no model is loaded');
  let smoother: Smoother | undefined;
  if (film !== undefined) {
    smoother = films.get(film) ?? new Smoother();
    films.set(film, smoother);
  }
  const started = performance.now();
  const pixels = await reader.read(picture);
  const read = performance.now() - started;
  const value = await segmenter.segment(pixels, task, options, smoother);
  value.prepare += read;
  const transfer = value.data.map((array) => array.buffer);
  if (value.alpha !== undefined) transfer.push(value.alpha.data.buffer);
  return { value, transfer };
}

async function load(request: LoadRequest): Promise<Answers['load']> {
  const { assetBase, modelUrl, checkpoint, backend } = request;
  const url = await findModel(assetBase, modelUrl, checkpoint);
  const bytes = await fetchModel(url, (loaded, total) => {
    scope.postMessage({ progress: { loaded, total } });
  });
  let report: BackendReport;
  if (backend === 'webgpu') {
    const runtime = await webgpuRuntime(assetBase);
    report = { backend, threads: 1, reason: 'asked for' };
    await use(new Engine(runtime, backend, bytes));
  } else {
    const { threads, why } = chooseThreads(request.threads);
    report = { backend: 'wasm', threads, reason: why };
    await use(new Engine(wasmRuntime(assetBase, threads), 'wasm', bytes));
    if (backend === 'auto') void tryWebgpu(assetBase, bytes, report);
  }
  return { info: (engine as Engine).info, report };
}

async function use(next: Engine): Promise<void> {
  await next.prepare([next.info.personHead]);
  await engine?.dispose();
  engine = next;
  segmenter = new Segmenter(next);
}

/** After loading, while the page already works: take WebGPU if it proves itself. */
async function tryWebgpu(
  assetBase: string,
  bytes: Uint8Array,
  report: BackendReport,
): Promise<void> {
  const stay = (why: string): void => {
    scope.postMessage({ settled: { ...report, reason: `${report.reason}; ${why}` } });
  };
  try {
    if (await isWebgpuSoftware()) return stay('WebGPU is only imitated here');
    const challenger = new Engine(await webgpuRuntime(assetBase), 'webgpu', bytes);
    await challenger.prepare([challenger.info.personHead, challenger.info.partsHead]);
    await inTurn(async () => {
      const { holds, reason } = await prove(engine as Engine, challenger);
      if (holds) {
        await use(challenger);
        scope.postMessage({ settled: { backend: 'webgpu', threads: 1, reason } });
      } else {
        await challenger.dispose();
        stay(reason);
      }
    });
  } catch (error) {
    stay(error instanceof Error ? error.message : String(error));
  }
}
