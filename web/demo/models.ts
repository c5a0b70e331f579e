/** The models that can be chosen, and the one that is loaded. */

import { load, type BodyPix } from '../src/index.ts';
import type { Settings } from './settings.ts';

/** Folder of the library's built files beside the page: worker, WASM, models. */
const ASSETS = new URL('./lib/', document.baseURI).href;

interface Listed {
  name: string;
  file: string;
  size: number;
  default?: boolean;
}

export class Models {
  /** The loaded model, once there is one. */
  net: BodyPix | undefined;
  private readonly urls = new Map<string, string>();

  constructor(private readonly list: HTMLSelectElement) {}

  /** Fill the list with the models that are served with the page; answers the default one. */
  async fill(): Promise<string> {
    const response = await fetch(`${ASSETS}models/models.json`);
    if (!response.ok) throw new Error(`models.json: the server answers ${response.status}`);
    const listed = (await response.json()) as Listed[];
    for (const { name, file, size } of listed) {
      this.add(name, `${name} (${(size / 1e6).toFixed(1)} MB)`, `${ASSETS}models/${file}`);
    }
    return (listed.find((model) => model.default) ?? listed[0]).name;
  }

  /** Put a model file of the visitor's own on the list. */
  addFile(file: File): string {
    const known = this.urls.get(file.name);
    if (known?.startsWith('blob:')) URL.revokeObjectURL(known);
    this.add(file.name, file.name, URL.createObjectURL(file));
    return file.name;
  }

  /** Take a model off the list again, as one that does not load. */
  remove(name: string): void {
    this.option(name)?.remove();
    this.urls.delete(name);
  }

  /** Load what is chosen; the model before stays in use until this one is ready. */
  async load(
    { model, backend }: Settings,
    onProgress: (loaded: number, total: number | undefined) => void,
  ): Promise<BodyPix> {
    const modelUrl = this.urls.get(model);
    const net = await load({ assetBase: ASSETS, modelUrl, backend, onProgress });
    this.net?.dispose();
    this.net = net;
    return net;
  }

  private add(name: string, label: string, url: string): void {
    this.urls.set(name, url);
    if (!this.option(name)) this.list.add(new Option(label, name));
  }

  private option(name: string): HTMLOptionElement | undefined {
    return [...this.list.options].find(({ value }) => value === name);
  }
}
