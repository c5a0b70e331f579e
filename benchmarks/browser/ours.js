// Our library with the same calls, from the same pictures to the same kind of drawing.
import { measure, pictures } from './measure.js';
import { drawMask, load, toColoredPartMask, toMask } from '/lib/bodypix.js';

window.start = async ({ model, threads }) => {
  const net = await load({ backend: 'wasm', modelUrl: model ?? undefined, threads });
  const canvas = document.createElement('canvas');
  const draw = (picture, mask) => drawMask(canvas, picture, mask);
  const methods = {
    person: async (picture) => draw(picture, toMask(await net.segmentPerson(picture))),
    parts: async (picture) =>
      draw(picture, toColoredPartMask(await net.segmentPersonParts(picture))),
    people: async (picture) => draw(picture, toMask(await net.segmentMultiPerson(picture))),
    'people parts': async (picture) =>
      draw(picture, toColoredPartMask(await net.segmentMultiPersonParts(picture))),
  };
  const { name } = net.info;
  const { backend, threads: used } = net.backend;
  window.describe = () => `${name}, ${backend}, ${used} threads`;
  const frames = await pictures();
  window.run = (method, count) =>
    measure(frames, count, async (picture) => {
      await methods[method](picture);
      return net.timing.network;
    });
};
