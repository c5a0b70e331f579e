/** What can stand behind a person: a picture of the visitor's, or a soft one of ours. */

export interface Backdrop {
  name: string;
  picture: ImageBitmap | HTMLCanvasElement;
}

/** Evening sky in a few strokes, so that the effect shows something before a picture is chosen. */
export function evening(): Backdrop {
  const canvas = document.createElement('canvas');
  canvas.width = 640;
  canvas.height = 480;
  const context = canvas.getContext('2d')!;
  const sky = context.createLinearGradient(0, 0, 0, 480);
  sky.addColorStop(0, '#2b2a55');
  sky.addColorStop(0.45, '#80508f');
  sky.addColorStop(0.75, '#ef8f7a');
  sky.addColorStop(1, '#fbd9a0');
  context.fillStyle = sky;
  context.fillRect(0, 0, 640, 480);
  const sun = context.createRadialGradient(450, 330, 10, 450, 330, 260);
  sun.addColorStop(0, 'rgb(255 236 190 / 0.95)');
  sun.addColorStop(0.2, 'rgb(255 214 150 / 0.6)');
  sun.addColorStop(1, 'rgb(255 190 140 / 0)');
  context.fillStyle = sun;
  context.fillRect(0, 0, 640, 480);
  for (const [height, color] of [[372, '#6d4a78'], [402, '#4a3763'], [436, '#2d2548']] as const) {
    context.fillStyle = color;
    context.beginPath();
    context.moveTo(0, 480);
    for (let x = 0; x <= 640; x += 8) {
      context.lineTo(x, height + 16 * Math.sin(x / 74 + height) + 7 * Math.sin(x / 29 + 2 * height));
    }
    context.lineTo(640, 480);
    context.fill();
  }
  return { name: 'Evening hills', picture: canvas };
}

/** Longer side of a kept picture: no canvas of the page is larger than a few thousand pixels. */
const LARGEST = 1920;

export async function readBackdrop(file: File): Promise<Backdrop> {
  const whole = await createImageBitmap(file);
  const scale = Math.min(1, LARGEST / Math.max(whole.width, whole.height));
  const picture = await createImageBitmap(whole, {
    resizeWidth: Math.round(whole.width * scale),
    resizeHeight: Math.round(whole.height * scale),
    resizeQuality: 'high',
  });
  whole.close();
  return { name: file.name, picture };
}
