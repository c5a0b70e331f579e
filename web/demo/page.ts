/** Finding elements of index.html, and saying things on the page. */

import type { Message } from './messages.ts';

/** The element with this id, which index.html has. */
export function find<Kind extends Element>(id: string): Kind {
  const element = document.getElementById(id);
  if (!element) throw new Error(`index.html has no #${id}`);
  return element as unknown as Kind;
}

export const press = (button: HTMLElement, pressed: boolean): void =>
  button.setAttribute('aria-pressed', String(pressed));

/** Tell those who do not see the page what happened. */
export function announce(text: string): void {
  find('status').textContent = text;
}

/** What is being waited for; nothing ends it. */
export function busy(text?: string): void {
  find<HTMLElement>('busy').hidden = text === undefined;
  find('busy-text').textContent = text ?? '';
}

/** The card over the picture that says what went wrong. */
export class Notice {
  private readonly card = find<HTMLElement>('notice');
  private readonly retry = find<HTMLButtonElement>('notice-retry');
  private again: (() => void) | undefined;

  constructor(private readonly closed: () => void) {
    find('notice-close').addEventListener('click', () => this.hide());
    this.retry.addEventListener('click', () => {
      const { again } = this;
      this.hide();
      again?.();
    });
  }

  show({ title, text }: Message, again?: () => void): void {
    find('notice-title').textContent = title;
    find('notice-text').textContent = text;
    this.again = again;
    this.retry.hidden = !again;
    this.card.hidden = false;
    find<HTMLElement>('welcome').hidden = true;
    (again ? this.retry : find<HTMLButtonElement>('notice-close')).focus();
  }

  hide(): void {
    this.card.hidden = true;
    this.again = undefined;
    this.closed();
  }
}

/** A picture or a video that is dropped or pasted anywhere on the page. */
export function onFile(frame: HTMLElement, opened: (file: File) => void): void {
  let inside = 0;
  document.addEventListener('dragenter', (event) => {
    inside += 1;
    frame.classList.toggle('dropping', event.dataTransfer?.types.includes('Files'));
  });
  document.addEventListener('dragleave', () => {
    inside -= 1;
    if (inside <= 0) frame.classList.remove('dropping');
  });
  document.addEventListener('dragover', (event) => event.preventDefault());
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    inside = 0;
    frame.classList.remove('dropping');
    const file = event.dataTransfer?.files[0];
    if (file) opened(file);
  });
  document.addEventListener('paste', (event) => {
    const file = event.clipboardData?.files[0];
    if (file) opened(file);
  });
}
