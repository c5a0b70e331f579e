/** The page's end of the worker. */

import { BackendError, fromPlainError } from '../errors.ts';
import { unreadable } from '../frames.ts';
import type { BackendReport } from '../types.ts';
import type { Answers, FromWorker, Request } from './protocol.ts';

interface Waiting {
  resolve(value: never): void;
  reject(error: Error): void;
}

export class WorkerClient {
  private readonly worker: Worker;
  private readonly waiting = new Map<number, Waiting>();
  private lastId = 0;
  private failure: Error | undefined;

  onProgress: ((loaded: number, total: number | undefined) => void) | undefined;
  onSettled: ((report: BackendReport) => void) | undefined;

  constructor(url: string) {
    this.worker = new Worker(url, { type: 'module', name: 'bodypix' });
    this.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.receive(data);
    this.worker.onerror = (event) => {
      event.preventDefault();
      this.fail(
        new BackendError(
          `${url}: the worker does not start (${event.message || 'file not found or blocked'}); ` +
            'the files of the package must lie together, or in the folder given as assetBase.',
        ),
      );
    };
  }

  /** Send a request; transferred objects are gone from the page. */
  ask<Type extends Request['type']>(
    request: Extract<Request, { type: Type }>,
    transfer: Transferable[] = [],
  ): Promise<Answers[Type]> {
    if (this.failure !== undefined) {
      for (const object of transfer) if ('close' in object) object.close();
      return Promise.reject(this.failure);
    }
    const id = ++this.lastId;
    return new Promise<Answers[Type]>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      try {
        this.worker.postMessage({ ...request, id }, transfer);
      } catch (error) {
        // Bitmaps of other sites' pictures can be made, but not sent.
        this.waiting.delete(id);
        reject(unreadable(error));
      }
    });
  }

  /** Stop the worker; what is under way is rejected, and so is every later request. */
  close(): void {
    this.worker.terminate();
    this.fail(new BackendError('the model was disposed of; load it again.'));
  }

  private receive(message: FromWorker): void {
    if ('progress' in message) {
      this.onProgress?.(message.progress.loaded, message.progress.total);
    } else if ('settled' in message) {
      this.onSettled?.(message.settled);
    } else {
      const waiting = this.waiting.get(message.id);
      this.waiting.delete(message.id);
      if ('error' in message) waiting?.reject(fromPlainError(message.error));
      else waiting?.resolve(message.value as never);
    }
  }

  private fail(error: Error): void {
    this.failure = error;
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }
}
