// What both pages share: the pictures, and the clock.

/** The frames of the benchmark as canvases of 640x480. */
export async function pictures() {
  const { count } = await (await fetch('/frames/frames.json')).json();
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const bitmap = await createImageBitmap(await (await fetch(`/frames/${index}.png`)).blob());
      const canvas = document.createElement('canvas');
      canvas.width = bitmap.width;
      canvas.height = bitmap.height;
      // Pixels in memory, where WASM reads them: the quicker place for both.
      canvas.getContext('2d', { willReadFrequently: true }).drawImage(bitmap, 0, 0);
      return canvas;
    }),
  );
}

/** Milliseconds of every call, and of the network inside it, which `work` answers. */
export async function measure(frames, count, work) {
  const total = [];
  const network = [];
  for (let index = 0; index < count; index++) {
    const began = performance.now();
    network.push(await work(frames[index % frames.length]));
    total.push(performance.now() - began);
  }
  return { total, network };
}
