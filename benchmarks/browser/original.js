// The original package in the way its own demo uses it, on the WASM backend.
import { measure, pictures } from './measure.js';

const { tf } = window;
const bodyPix = window['body-pix']; // the name its UMD file gives itself

window.start = async ({ threads }) => {
  tf.wasm.setWasmPaths('/npm/@tensorflow/tfjs-backend-wasm/dist/');
  tf.wasm.setThreadsCount(threads);
  await tf.setBackend('wasm');
  await tf.ready();
  const net = await bodyPix.load({
    architecture: 'MobileNetV1',
    outputStride: 16,
    multiplier: 0.5,
    modelUrl: '/weights/model-stride16.json',
  });

  // WASM kernels run at once and to their end, so the call of the graph is the network's time.
  let network = 0;
  const graph = net.baseModel.model;
  const predict = graph.predict.bind(graph);
  graph.predict = (input) => {
    const began = performance.now();
    const answer = predict(input);
    network += performance.now() - began;
    return answer;
  };

  const canvas = document.createElement('canvas');
  const methods = {
    person: async (picture) => draw(picture, bodyPix.toMask(await net.segmentPerson(picture))),
    parts: async (picture) =>
      draw(picture, bodyPix.toColoredPartMask(await net.segmentPersonParts(picture))),
    people: async (picture) => draw(picture, bodyPix.toMask(await net.segmentMultiPerson(picture))),
    'people parts': async (picture) =>
      draw(picture, bodyPix.toColoredPartMask(await net.segmentMultiPersonParts(picture))),
  };
  const draw = (picture, mask) => bodyPix.drawMask(canvas, picture, mask);

  window.describe = () =>
    `body-pix ${bodyPix.version}, tfjs ${tf.version_core}, ${tf.getBackend()}, ` +
    `${tf.wasm.getThreadsCount()} threads`;
  const frames = await pictures();
  window.run = (method, count) =>
    measure(frames, count, async (picture) => {
      network = 0;
      await methods[method](picture);
      return network;
    });
};
