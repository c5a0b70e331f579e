/** Finding and fetching the model file. */

import { ModelError } from '../errors.ts';
import type { Checkpoint } from '../options.ts';

/** An entry of `models/models.json`. */
interface Listed {
  name: string;
  file: string;
  architecture: string;
  multiplier: number;
  output_stride: number;
  quant_bytes?: number;
  default?: boolean;
}

type Progress = (loaded: number, total: number | undefined) => void;

/**
 * The address of the model that was asked for.
 *
 * A checkpoint of the original is answered by the file in the models folder that has its facts,
 * else by the default model: a page that asks for a size of 2019 gets a person either way.
 */
export async function findModel(
  assetBase: string,
  modelUrl: string | undefined,
  checkpoint: Checkpoint | undefined,
): Promise<string> {
  if (modelUrl !== undefined) return modelUrl;
  const folder = `${assetBase}models/`;
  const list = (await (await get(`${folder}models.json`)).json()) as Listed[];
  const fits = (listed: Listed): boolean =>
    checkpoint !== undefined &&
    listed.default !== true &&
    listed.architecture === checkpoint.architecture &&
    listed.multiplier === checkpoint.multiplier &&
    listed.output_stride === checkpoint.outputStride &&
    (listed.quant_bytes ?? 4) === checkpoint.quantBytes;
  const chosen = list.find(fits) ?? list.find((listed) => listed.default === true);
  if (chosen === undefined) {
    throw new ModelError(`${folder}models.json: expected a default model, got none.`);
  }
  return folder + chosen.file;
}

/** The bytes at an address. */
export async function fetchModel(url: string, onProgress: Progress): Promise<Uint8Array> {
  const response = await get(url);
  if (response.body === null) return new Uint8Array(await response.arrayBuffer());
  const length = Number(response.headers.get('content-length')) || undefined;
  // The length is that of what travels; of compressed files it says nothing about the file.
  const total = response.headers.has('content-encoding') ? undefined : length;
  const chunks: Uint8Array[] = [];
  let loaded = 0;
  for (const reader = response.body.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    loaded += value.length;
    onProgress(loaded, total);
  }
  const bytes = new Uint8Array(loaded);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

async function get(url: string): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch (error) {
    throw new ModelError(`${url}: cannot be fetched (${String(error)}).`);
  }
  if (!response.ok) {
    throw new ModelError(
      `${url}: expected a model file, got status ${response.status}; check modelUrl and assetBase.`,
    );
  }
  return response;
}
