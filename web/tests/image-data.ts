/** Node has no ImageData; of it the mask functions need no more than this. */

class PlainImageData {
  readonly data: Uint8ClampedArray;

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.data = new Uint8ClampedArray(4 * width * height);
  }
}

globalThis.ImageData ??= PlainImageData as unknown as typeof ImageData;
