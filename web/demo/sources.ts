/** Where pictures come from: a photo, a video file, a camera. All are asked for one frame at a time. */

/** A picture that the caller closes. */
export type Frame = ImageBitmap | VideoFrame;

export interface Source {
  readonly kind: 'photo' | 'video' | 'camera';
  /** Whether pictures follow one another now: not of a photo, not of a video that is paused. */
  readonly moving: boolean;
  /** The next picture that has not been given yet; waits for it. A photo has only one. */
  next(): Promise<Frame>;
  /** Give the present picture once more. */
  again(): void;
  close(): void;
}

/** Longer sides are scaled down: the answer would not get better, only slower. */
const LARGEST_PHOTO = 2560;

export const frameSize = (frame: Frame): { width: number; height: number } =>
  'displayWidth' in frame
    ? { width: frame.displayWidth, height: frame.displayHeight }
    : { width: frame.width, height: frame.height };

/** Somebody who waits for something, once or again. */
class Signal {
  private set: boolean;
  private wake: (() => void) | undefined;

  constructor(set: boolean) {
    this.set = set;
  }

  give(): void {
    this.set = true;
    this.wake?.();
  }

  async take(): Promise<void> {
    while (!this.set) await new Promise<void>((resolve) => (this.wake = resolve));
    this.set = false;
  }
}

export class PhotoSource implements Source {
  readonly kind = 'photo';
  readonly moving = false;
  private readonly wanted = new Signal(true);

  private constructor(private readonly picture: ImageBitmap) {}

  static async open(file: Blob): Promise<PhotoSource> {
    const whole = await createImageBitmap(file); // upright, as the photo's own note says
    const scale = LARGEST_PHOTO / Math.max(whole.width, whole.height);
    if (scale >= 1) return new PhotoSource(whole);
    const small = await createImageBitmap(whole, {
      resizeWidth: Math.round(whole.width * scale),
      resizeHeight: Math.round(whole.height * scale),
      resizeQuality: 'high',
    });
    whole.close();
    return new PhotoSource(small);
  }

  async next(): Promise<Frame> {
    await this.wanted.take();
    return createImageBitmap(this.picture);
  }

  again(): void {
    this.wanted.give();
  }

  close(): void {
    this.picture.close();
  }
}

/** What video files and cameras share: frames as a `<video>` element presents them. */
abstract class MovingSource implements Source {
  abstract readonly kind: 'video' | 'camera';
  private readonly fresh: Signal;
  private callback: number;

  protected constructor(readonly video: HTMLVideoElement) {
    // A frame may have come before anybody listened, as in a video that is paused.
    this.fresh = new Signal(video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA);
    this.callback = video.requestVideoFrameCallback(this.arrived);
  }

  get moving(): boolean {
    return !this.video.paused;
  }

  async next(): Promise<Frame> {
    await this.fresh.take();
    // A VideoFrame shares the picture's memory; a bitmap is its copy.
    return 'VideoFrame' in globalThis ? new VideoFrame(this.video) : createImageBitmap(this.video);
  }

  again(): void {
    this.fresh.give();
  }

  private readonly arrived = (): void => {
    this.fresh.give();
    this.callback = this.video.requestVideoFrameCallback(this.arrived);
  };

  close(): void {
    this.video.cancelVideoFrameCallback(this.callback);
    this.video.pause();
  }
}

export class VideoSource extends MovingSource {
  readonly kind = 'video';

  static async open(file: Blob): Promise<VideoSource> {
    const video = silentVideo();
    video.loop = true;
    video.src = URL.createObjectURL(file);
    try {
      await video.play();
    } catch (reason) {
      URL.revokeObjectURL(video.src);
      throw reason;
    }
    return new VideoSource(video);
  }

  override close(): void {
    super.close();
    URL.revokeObjectURL(this.video.src);
    this.video.removeAttribute('src');
    this.video.load();
  }
}

export class CameraSource extends MovingSource {
  readonly kind = 'camera';

  private constructor(
    video: HTMLVideoElement,
    private readonly stream: MediaStream,
  ) {
    super(video);
  }

  /** Asks for leave. `deviceId`: which camera; without it the one that faces the visitor. */
  static async open(deviceId?: string): Promise<CameraSource> {
    if (!navigator.mediaDevices) throw new DOMException('no camera here', 'SecurityError');
    const which: MediaTrackConstraints = deviceId
      ? { deviceId: { exact: deviceId } }
      : { facingMode: 'user' };
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { width: { ideal: 640 }, height: { ideal: 480 }, ...which },
    });
    const video = silentVideo();
    video.srcObject = stream;
    await video.play();
    return new CameraSource(video, stream);
  }

  /** Which camera this is. */
  get deviceId(): string | undefined {
    return this.stream.getVideoTracks()[0].getSettings().deviceId;
  }

  /** Whether this camera faces away from the visitor, so that a mirror image would be wrong. */
  get facesAway(): boolean {
    return this.stream.getVideoTracks()[0].getSettings().facingMode === 'environment';
  }

  /** Called when the camera is pulled out or leave is withdrawn. */
  onEnded(callback: () => void): void {
    this.stream.getVideoTracks()[0].addEventListener('ended', callback, { once: true });
  }

  override close(): void {
    super.close();
    for (const track of this.stream.getTracks()) track.stop();
    this.video.srcObject = null;
  }
}

/** The cameras of this device. Names are empty until the visitor has allowed one. */
export async function cameras(): Promise<MediaDeviceInfo[]> {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return devices.filter((device) => device.kind === 'videoinput');
}

function silentVideo(): HTMLVideoElement {
  const video = document.createElement('video');
  video.muted = true;
  video.playsInline = true;
  return video;
}
