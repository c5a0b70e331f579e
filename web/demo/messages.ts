/** What goes wrong, in words that say what to do. */

export interface Message {
  title: string;
  text: string;
}

/** Why a camera could not be opened. `reason` is what `getUserMedia` threw. */
export function cameraMessage(reason: unknown): Message {
  switch (reason instanceof DOMException ? reason.name : '') {
    case 'NotAllowedError':
      return {
        title: 'The camera is blocked',
        text:
          'Allow it with the camera sign in the address bar (on a phone: in the browser’s settings ' +
          'for this site), then try again. The pictures never leave this device. ' +
          'A photo or a video file works without a camera.',
      };
    case 'NotFoundError':
    case 'OverconstrainedError':
      return {
        title: 'No camera found',
        text: 'Plug one in or switch it on, then try again. Or open a photo or a video file.',
      };
    case 'NotReadableError':
    case 'AbortError':
      return {
        title: 'The camera is busy',
        text: 'Another program seems to use it. Close that program, then try again.',
      };
    case 'SecurityError':
      return {
        title: 'No camera on this address',
        text:
          'Browsers open cameras only for https addresses and for localhost. ' +
          'Open this page there, or open a photo or a video file.',
      };
    default:
      return {
        title: 'The camera does not start',
        text: `The browser says: ${text(reason)}. Try again, or open a photo or a video file.`,
      };
  }
}

export const fileMessage = (name: string): Message => ({
  title: 'This file cannot be shown',
  text: `The browser cannot read ${name}. Photos in JPEG, PNG or WebP and videos in MP4 or WebM work best.`,
});

export const modelMessage = (reason: unknown): Message => ({
  title: 'The model does not load',
  text: `${text(reason)}. Choose another one, or reload the page.`,
});

export const pictureMessage = (reason: unknown): Message => ({
  title: 'The picture cannot be computed',
  text: `${text(reason)}. Try again with a smaller working size, or reload the page.`,
});

export const text = (reason: unknown): string =>
  (reason instanceof Error ? reason.message : String(reason)).replace(/\.$/, '');
