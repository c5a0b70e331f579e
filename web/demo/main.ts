/** The page: its buttons and fields, wired to sources, model, painter and files. */

import example from '../../src/bodypix/assets/astronaut.jpg?url';
import { COLOR_SCALES, type SegmentationStream } from '../src/index.ts';
import { evening, readBackdrop } from './backdrop.ts';
import { compute, type Picture } from './computing.ts';
import { Controls } from './controls.ts';
import { listen } from './keys.ts';
import { Legend } from './legend.ts';
import { cameraMessage, fileMessage, modelMessage, pictureMessage, text } from './messages.ts';
import { Models } from './models.ts';
import { announce, busy, find, Notice, onFile, press } from './page.ts';
import { Painter } from './painter.ts';
import { canRecord, Recording, saveSnapshot } from './saving.ts';
import type { Settings } from './settings.ts';
import { cameras, CameraSource, PhotoSource, VideoSource, type Source } from './sources.ts';
import { Studio, type Pace } from './studio.ts';
import { clock, Timeline } from './timeline.ts';

const view = find<HTMLCanvasElement>('view');
const frame = find<HTMLElement>('frame');
const welcome = find<HTMLElement>('welcome');
const cameraButton = find<HTMLButtonElement>('camera');
const recordButton = find<HTMLButtonElement>('record');
const cameraList = find<HTMLSelectElement>('camera-list');

const painter = new Painter(view);
const models = new Models(find('model'));
const timeline = new Timeline(find);
const controls = new Controls(find('panel'), changed);
const { settings } = controls;
const legend = new Legend(find('legend'), () => studio.refresh(settings));
const notice = new Notice(() => (welcome.hidden = !atWelcome));
const studio = new Studio({ compute: next, paint, failed, pace: showPace });

let stream: SegmentationStream | undefined;
/** What the stream runs, also while another model is being loaded. */
let working: Pick<Settings, 'model' | 'backend'> | undefined;
let backdrop = evening();
let mirrored = false;
let original = false;
let recording: Recording | undefined;
/** Whether the example is shown, and nothing of the visitor's. */
let atWelcome = true;

// --- pictures ---------------------------------------------------------------------------------

async function next(source: Source): Promise<Picture> {
  const picture = await source.next();
  for (;;) {
    const used = stream!;
    try {
      return await compute(used, picture, { ...settings, ...working }, source.moving);
    } catch (reason) {
      if (used !== stream) continue; // the model was changed meanwhile
      picture.close();
      throw reason;
    }
  }
}

function paint(picture: Picture): void {
  painter.paint(picture, {
    colors: COLOR_SCALES[picture.settings.colorScale],
    blurred: [...legend.ticked],
    backdrop: backdrop.picture,
    mirrored,
    original,
  });
  // For pages that embed this one, and for tests: what was painted, and from what.
  view.dispatchEvent(new CustomEvent('bodypix', { detail: picture }));
}

function failed(reason: unknown): void {
  const { showing } = studio;
  busy();
  notice.show(pictureMessage(reason), showing && (() => studio.resume()));
}

function showPace({ fps, ms }: Pace): void {
  const moving = studio.showing?.moving ?? false;
  find('fps').parentElement!.hidden = !moving;
  find('fps').textContent = `${Math.round(fps)} fps`;
  find('ms').textContent = `${Math.round(ms)} ms`;
  const { backend, threads } = models.net!.backend;
  const cores = `${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  find('engine').textContent = backend === 'webgpu' ? 'Graphics card' : `Processor, ${cores}`;
  find<HTMLElement>('readout').hidden = false;
  busy();
}

// --- sources ----------------------------------------------------------------------------------

function show(source: Source): void {
  atWelcome = false;
  welcome.hidden = true;
  notice.hide();
  mirrored = source instanceof CameraSource && !source.facesAway;
  press(find('mirror'), mirrored);
  press(cameraButton, source.kind === 'camera');
  find<HTMLElement>('camera-picker').hidden = true;
  timeline.follow(source instanceof VideoSource ? source.video : undefined);
  stream?.reset().catch(() => {}); // a worker that failed has nothing to forget
  stream = models.net?.stream();
  describe(source);
  if (stream) {
    studio.show(source);
  } else {
    waiting?.close();
    waiting = source;
    preview(source).catch(() => {}); // closed, since another one was opened
  }
}

/** The plain picture, until the model is there. */
async function preview(source: Source): Promise<void> {
  const picture = await source.next();
  if (source === waiting) {
    paint({ frame: picture, segmentations: [], poses: [], settings: { ...settings }, began: 0 });
  }
  picture.close();
  source.again();
}

/** What is shown as soon as the model is there. */
let waiting: Source | undefined;

function describe(source: Source): void {
  const what = { photo: 'A photo', video: 'A video', camera: 'The camera’s picture' }[source.kind];
  const effect = find('panel').querySelector<HTMLElement>('.tile:has(:checked) span')!;
  view.setAttribute('aria-label', `${what} with the effect ${effect.textContent}`);
}

async function showExample(): Promise<void> {
  const photo = await PhotoSource.open(await (await fetch(example)).blob());
  show(photo);
  atWelcome = true;
  welcome.hidden = false;
}

async function startCamera(deviceId?: string): Promise<void> {
  busy('Waiting for the camera…');
  try {
    const camera = await CameraSource.open(deviceId);
    camera.onEnded(() => {
      if (studio.showing !== camera) return;
      void showExample();
      notice.show(cameraMessage(new DOMException('', 'NotFoundError')), () => void startCamera());
    });
    show(camera);
    announce('The camera is on.');
    await listCameras(camera.deviceId);
  } catch (reason) {
    notice.show(cameraMessage(reason), () => void startCamera(deviceId));
    if (stream) busy();
  }
}

async function toggleCamera(): Promise<void> {
  if (studio.showing?.kind !== 'camera') return startCamera();
  await showExample();
  announce('The camera is off.');
}

async function listCameras(current: string | undefined): Promise<void> {
  const found = await cameras();
  cameraList.replaceChildren(
    ...found.map(({ deviceId, label }, index) => new Option(label || `Camera ${index + 1}`, deviceId)),
  );
  if (current) cameraList.value = current;
  find<HTMLElement>('camera-picker').hidden = found.length < 2;
}

async function openFile(file: File): Promise<void> {
  busy(`Opening ${file.name}…`);
  try {
    const kind = file.type.startsWith('video/') ? VideoSource : PhotoSource;
    show(await kind.open(file));
    announce(`${file.name} is open.`);
  } catch {
    notice.show(fileMessage(file.name));
    if (stream) busy();
  }
}

// --- the model --------------------------------------------------------------------------------

async function loadModel(): Promise<void> {
  const { model, backend } = settings;
  busy('Loading the model…');
  try {
    const net = await models.load(settings, (loaded, total) => {
      if (loaded === total) busy('Starting the model…');
      else if (total) busy(`Loading the model… ${Math.round((100 * loaded) / total)} %`);
    });
    working = { model, backend };
    stream = net.stream();
    if (waiting) {
      studio.show(waiting);
      waiting = undefined;
    } else {
      studio.refresh(settings);
    }
  } catch (reason) {
    notice.show(modelMessage(reason), working && (() => void loadModel()));
    // Back to the model that is still at work.
    if (working) Object.assign(settings, working);
    controls.show();
    busy();
  }
}

// --- controls ---------------------------------------------------------------------------------

function changed(field: keyof Settings): void {
  if (field === 'model' || field === 'backend') {
    void loadModel();
    return;
  }
  apply();
}

/** Make the page fit what is chosen. */
function apply(): void {
  frame.classList.toggle('see-through', settings.effect === 'cutout');
  legend.paint(COLOR_SCALES[settings.colorScale], settings.effect === 'face');
  if (studio.showing) describe(studio.showing);
  studio.refresh(settings);
}

function showOriginal(on: boolean): void {
  original = on;
  press(find('compare'), on);
  studio.refresh(settings);
}

function mirror(): void {
  mirrored = !mirrored;
  press(find('mirror'), mirrored);
  studio.refresh(settings);
}

async function snapshot(): Promise<void> {
  try {
    announce(`Saved ${await saveSnapshot(view)}.`);
  } catch (reason) {
    notice.show({ title: 'The picture is not saved', text: text(reason) });
  }
}

async function toggleRecording(): Promise<void> {
  const showing = recording;
  recording = undefined;
  if (!showing) {
    try {
      recording = new Recording(view, settings.effect === 'cutout');
      announce('Recording.');
    } catch (reason) {
      notice.show({ title: 'Recording does not start', text: text(reason) });
    }
  }
  press(recordButton, recording !== undefined);
  recordButton.querySelector('span')!.textContent = recording ? 'Stop' : 'Record';
  recordButton.querySelector('use')!.setAttribute('href', `./icons.svg#${recording ? 'stop' : 'record'}`);
  find<HTMLElement>('recording').hidden = !recording;
  if (showing) announce(`Saved ${await showing.stop()}.`);
}

setInterval(() => {
  if (recording) find('recording-time').textContent = clock(recording.seconds);
}, 250);

async function chooseBackdrop(file: File): Promise<void> {
  try {
    backdrop = await readBackdrop(file);
    find('backdrop-name').textContent = backdrop.name;
    apply();
  } catch {
    notice.show(fileMessage(file.name));
  }
}

/** A button that opens the browser's own dialogue for files. */
function fileButton(button: string, input: string, chosen: (file: File) => void): void {
  const field = find<HTMLInputElement>(input);
  find(button).addEventListener('click', () => field.click());
  field.addEventListener('change', () => {
    if (field.files?.[0]) chosen(field.files[0]);
    field.value = ''; // so that the same file can be chosen again
  });
}

function click(id: string, action: () => void): void {
  find(id).addEventListener('click', action);
}

click('camera', () => void toggleCamera());
click('welcome-camera', () => void startCamera());
click('welcome-open', () => find('open').dispatchEvent(new MouseEvent('click')));
click('mirror', mirror);
click('compare', () => showOriginal(!original));
click('snapshot', () => void snapshot());
click('record', () => void toggleRecording());
click('reset', () => {
  controls.reset();
  legend.reset();
  apply();
});
fileButton('open', 'file', (file) => void openFile(file));
fileButton('backdrop', 'backdrop-file', (file) => void chooseBackdrop(file));
fileButton('weights', 'weights-file', (file) => {
  settings.model = models.addFile(file);
  controls.show();
  void loadModel();
});
cameraList.addEventListener('change', () => void startCamera(cameraList.value));
onFile(frame, (file) => void openFile(file));
listen({
  c: { pressed: () => void toggleCamera() },
  o: { pressed: () => find<HTMLElement>('open').click() },
  s: { pressed: () => void snapshot() },
  r: { pressed: () => void toggleRecording() },
  m: { pressed: mirror },
  x: { pressed: () => showOriginal(true), released: () => showOriginal(false) },
});

recordButton.hidden = !canRecord();
apply();
void showExample();
void models.fill().then((name) => {
  settings.model = name;
  controls.show();
  return loadModel();
}).catch((reason: unknown) => notice.show(modelMessage(reason)));
