/** The page's side of things, with the worker, videos and the network played by stand-ins. */

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import {
  BackendError,
  fromPlainError,
  ImageError,
  InvalidArgumentError,
  ModelError,
  toPlainError,
} from '../src/errors.ts';
import { capture, sizeOf } from '../src/frames.ts';
import { SegmentationStream } from '../src/stream.ts';
import type { ImageInput } from '../src/types.ts';
import { WorkerClient } from '../src/worker/client.ts';
import { fetchModel, findModel } from '../src/worker/models.ts';
import type { FromWorker, ToWorker } from '../src/worker/protocol.ts';
import { chooseThreads } from '../src/worker/runtimes.ts';

afterEach(() => vi.unstubAllGlobals());

class FakeWorker {
  static last: FakeWorker;
  onmessage: ((event: { data: FromWorker }) => void) | null = null;
  onerror: ((event: unknown) => void) | null = null;
  sent: ToWorker[] = [];
  terminated = false;

  constructor(readonly url: string) {
    FakeWorker.last = this;
  }

  postMessage(message: ToWorker): void {
    this.sent.push(message);
  }

  terminate(): void {
    this.terminated = true;
  }

  say(data: FromWorker): void {
    this.onmessage?.({ data });
  }
}

describe('WorkerClient', () => {
  let client: WorkerClient;
  let worker: FakeWorker;
  const forget = { type: 'forget', film: 1 } as const;

  beforeEach(() => {
    vi.stubGlobal('Worker', FakeWorker);
    client = new WorkerClient('bodypix-worker.js');
    worker = FakeWorker.last;
  });

  test('gives every answer to its question, in whatever order they come', async () => {
    const first = client.ask<'forget'>(forget);
    const second = client.ask<'forget'>({ ...forget, film: 2 });
    const [one, two] = worker.sent;
    worker.say({ id: two.id, error: { name: 'ImageError', message: 'no picture' } });
    worker.say({ id: one.id, value: undefined });
    await expect(first).resolves.toBeUndefined();
    await expect(second).rejects.toThrow(ImageError);
  });

  test('passes on progress and the choice of the backend', () => {
    client.onProgress = vi.fn();
    client.onSettled = vi.fn();
    const report = { backend: 'webgpu', threads: 1, reason: 'sooner' } as const;
    worker.say({ progress: { loaded: 5, total: undefined } });
    worker.say({ settled: report });
    expect(client.onProgress).toHaveBeenCalledWith(5, undefined);
    expect(client.onSettled).toHaveBeenCalledWith(report);
  });

  test('a worker that does not start fails what is asked, then and later', async () => {
    const asked = client.ask<'forget'>(forget);
    worker.onerror?.({ preventDefault: () => undefined, message: '' });
    await expect(asked).rejects.toThrow(BackendError);
    await expect(client.ask<'forget'>(forget)).rejects.toThrow('must lie together');
  });

  test('what cannot be sent is explained, and nothing waits for it', async () => {
    worker.postMessage = () => {
      throw new Error('DataCloneError');
    };
    await expect(client.ask<'forget'>(forget)).rejects.toThrow('crossorigin');
  });

  test('closing stops the worker, fails what is under way, closes what would be sent', async () => {
    const asked = client.ask<'forget'>(forget);
    client.close();
    expect(worker.terminated).toBe(true);
    await expect(asked).rejects.toThrow('disposed');
    const bitmap = { close: vi.fn() } as unknown as ImageBitmap;
    await expect(client.ask<'forget'>(forget, [bitmap])).rejects.toThrow(BackendError);
    expect(bitmap.close).toHaveBeenCalledOnce();
  });
});

describe('SegmentationStream', () => {
  const picture = {} as ImageInput;

  test('runs one frame at a time, with the options of then', async () => {
    const ends: (() => void)[] = [];
    const segment = vi.fn(() => new Promise((resolve) => ends.push(() => resolve('done'))));
    const stream = new SegmentationStream({ parts: true, segmentationThreshold: 0.5 } as const, {
      segment,
      forget: async () => undefined,
    });
    const first = stream.next(picture);
    const second = stream.next(picture);
    await vi.waitFor(() => expect(ends).toHaveLength(1));
    const task = { parts: true, people: false };
    expect(segment).toHaveBeenCalledWith(picture, task, { segmentationThreshold: 0.5 }, true);
    stream.options = { ...stream.options, smoothing: false } as never;
    ends[0]();
    await expect(first).resolves.toBe('done');
    await vi.waitFor(() => expect(ends).toHaveLength(2));
    expect(segment).toHaveBeenLastCalledWith(picture, task, { segmentationThreshold: 0.5 }, false);
    ends[1]();
    await second;
  });

  test('goes on after a frame that failed', async () => {
    const segment = vi.fn().mockRejectedValueOnce(new ImageError('no')).mockResolvedValue('yes');
    const stream = new SegmentationStream({}, { segment, forget: async () => undefined });
    await expect(stream.next(picture)).rejects.toThrow(ImageError);
    await expect(stream.next(picture)).resolves.toBe('yes');
  });

  test('forgets on demand', async () => {
    const forget = vi.fn(async () => undefined);
    const stream = new SegmentationStream({}, { segment: async () => undefined, forget });
    await stream.reset();
    expect(forget).toHaveBeenCalledOnce();
  });
});

describe('pictures', () => {
  class FakeVideo {
    readyState = 4;
    width = 320;
    height = 240;
    videoWidth = 640;
    videoHeight = 480;
    constructor(private readonly attributes: string[] = []) {}
    hasAttribute(name: string): boolean {
      return this.attributes.includes(name);
    }
  }

  class FakeImage {
    offsetWidth = 0;
    offsetHeight = 0;
    width = 100;
    height = 50;
  }

  beforeEach(() => {
    vi.stubGlobal('HTMLVideoElement', FakeVideo);
    vi.stubGlobal('HTMLImageElement', FakeImage);
  });

  const as = (value: unknown): ImageInput => value as ImageInput;

  test('a video has its own size, or that of both attributes', () => {
    expect(sizeOf(as(new FakeVideo()))).toEqual({ width: 640, height: 480 });
    expect(sizeOf(as(new FakeVideo(['width'])))).toEqual({ width: 640, height: 480 });
    expect(sizeOf(as(new FakeVideo(['width', 'height'])))).toEqual({ width: 320, height: 240 });
  });

  test('an image has the size in which it is laid out', () => {
    const image = new FakeImage();
    expect(sizeOf(as(image))).toEqual({ width: 100, height: 50 });
    Object.assign(image, { offsetWidth: 40, offsetHeight: 20 });
    expect(sizeOf(as(image))).toEqual({ width: 40, height: 20 });
  });

  test('a picture without pixels is refused', () => {
    expect(() => sizeOf(as({ width: 0, height: 10 }))).toThrow(ImageError);
  });

  test('a video that shows nothing yet is refused', async () => {
    const video = Object.assign(new FakeVideo(), { readyState: 1 });
    await expect(capture(as(video))).rejects.toThrow('loadeddata');
  });

  test('pixels are copied: the caller keeps its own', async () => {
    class FakeImageData {
      width = 1;
      height = 1;
      data = new Uint8ClampedArray([1, 2, 3, 4]);
    }
    vi.stubGlobal('ImageData', FakeImageData);
    const given = new FakeImageData();
    const { picture, transfer } = await capture(as(given));
    expect(picture).toEqual({ source: { data: given.data }, width: 1, height: 1 });
    expect(transfer[0]).not.toBe(given.data.buffer);
  });

  test('canvases become frames where the browser makes them, else bitmaps', async () => {
    const bitmap = {};
    vi.stubGlobal('createImageBitmap', async () => bitmap);
    const canvas = as({ width: 2, height: 2 });
    expect((await capture(canvas)).picture.source).toBe(bitmap);
    class FakeFrame {
      constructor(readonly input: unknown) {}
    }
    vi.stubGlobal('VideoFrame', FakeFrame);
    expect((await capture(canvas)).picture.source).toEqual({ input: canvas });
    expect((await capture(as(new FakeImage()))).picture.source).toBe(bitmap);
  });

  test('a picture of another site is explained', async () => {
    vi.stubGlobal('createImageBitmap', async () => {
      throw new Error('tainted');
    });
    await expect(capture(as(new FakeImage()))).rejects.toThrow('crossorigin');
  });
});

describe('model files', () => {
  const LIST = [
    {
      name: 'own',
      file: 'own.onnx',
      architecture: 'MobileNetV1',
      multiplier: 0.5,
      output_stride: 16,
      default: true,
    },
    { name: 'big', file: 'big.onnx', architecture: 'ResNet50', multiplier: 1, output_stride: 32 },
  ];
  const checkpoint = {
    architecture: 'ResNet50',
    multiplier: 1,
    outputStride: 32,
    quantBytes: 4,
  } as const;

  function serve(body: BodyInit | null, init?: ResponseInit): void {
    vi.stubGlobal('fetch', async () => new Response(body, init));
  }

  test('the default, or the one with the facts that were asked for', async () => {
    serve(JSON.stringify(LIST));
    expect(await findModel('/a/', undefined, undefined)).toBe('/a/models/own.onnx');
    expect(await findModel('/a/', undefined, checkpoint)).toBe('/a/models/big.onnx');
    const quantised = { ...checkpoint, quantBytes: 1 };
    expect(await findModel('/a/', undefined, quantised)).toBe('/a/models/own.onnx');
    expect(await findModel('/a/', '/b.onnx', checkpoint)).toBe('/b.onnx');
  });

  test('a list without a default is refused', async () => {
    serve('[]');
    await expect(findModel('/a/', undefined, undefined)).rejects.toThrow(ModelError);
  });

  test('arrive whole, with progress', async () => {
    serve(new Uint8Array([1, 2, 3]), { headers: { 'content-length': '3' } });
    const progress = vi.fn();
    expect(await fetchModel('/x', progress)).toEqual(new Uint8Array([1, 2, 3]));
    expect(progress).toHaveBeenLastCalledWith(3, 3);
  });

  test('of compressed files the total is not known', async () => {
    serve(new Uint8Array(3), { headers: { 'content-length': '2', 'content-encoding': 'br' } });
    const progress = vi.fn();
    await fetchModel('/x', progress);
    expect(progress).toHaveBeenLastCalledWith(3, undefined);
  });

  test('that are not there are named', async () => {
    serve('gone', { status: 404 });
    await expect(fetchModel('/x.onnx', () => undefined)).rejects.toThrow('/x.onnx');
    vi.stubGlobal('fetch', async () => {
      throw new TypeError('offline');
    });
    await expect(fetchModel('/x.onnx', () => undefined)).rejects.toThrow(ModelError);
  });
});

describe('threads', () => {
  test.each([
    [undefined, 16, 4],
    [undefined, 2, 2],
    [8, 16, 8],
    [8, 2, 2],
    [0, 2, 1],
  ])('asked for %s on %d cores: %d', (wanted, cores, expected) => {
    vi.stubGlobal('crossOriginIsolated', true);
    vi.stubGlobal('navigator', { hardwareConcurrency: cores });
    expect(chooseThreads(wanted).threads).toBe(expected);
  });

  test('one without isolation, and why', () => {
    vi.stubGlobal('crossOriginIsolated', false);
    expect(chooseThreads(4)).toEqual({ threads: 1, why: expect.stringContaining('isolated') });
  });
});

test('errors of this package are of their class again on the other side', () => {
  const error = fromPlainError(toPlainError(new InvalidArgumentError('too large')));
  expect(error).toBeInstanceOf(InvalidArgumentError);
  expect(error.message).toBe('too large');
  expect(fromPlainError(toPlainError('just text')).message).toBe('just text');
});
