/** The 24 parts beside their colours; with ticks where the visitor chooses parts to blur. */

import { PART_CHANNELS, type RGB } from '../src/index.ts';

const FACE = [0, 1];

/** A row of the table: the part's name, and its ids, left and right or one for both. */
interface Row {
  name: string;
  ids: number[];
}

export class Legend {
  /** Ids of the parts that "Blur face" blurs. */
  readonly ticked = new Set(FACE);
  private readonly swatches: SVGRectElement[] = [];
  private readonly ticks: HTMLInputElement[] = [];

  constructor(
    table: HTMLTableSectionElement,
    private readonly changed: () => void,
  ) {
    for (const { name, ids } of rows()) {
      const row = table.insertRow();
      const heading = row.appendChild(document.createElement('th'));
      heading.scope = 'row';
      heading.textContent = name;
      for (const id of ids) {
        const cell = row.insertCell();
        if (ids.length === 1) cell.colSpan = 2;
        cell.append(this.part(id));
      }
    }
  }

  /** @param ticks - show ticks in place of colours */
  paint(colors: readonly RGB[], ticks: boolean): void {
    colors.forEach((color, id) => {
      this.swatches[id].setAttribute('fill', `rgb(${color.join(' ')})`);
      this.swatches[id].ownerSVGElement!.toggleAttribute('hidden', ticks);
      this.ticks[id].hidden = !ticks;
    });
  }

  /** Back to blurring faces. */
  reset(): void {
    this.ticked.clear();
    for (const id of FACE) this.ticked.add(id);
    this.ticks.forEach((tick, id) => (tick.checked = this.ticked.has(id)));
  }

  private part(id: number): HTMLLabelElement {
    const label = document.createElement('label');
    const tick = label.appendChild(document.createElement('input'));
    tick.type = 'checkbox';
    tick.checked = this.ticked.has(id);
    tick.setAttribute('aria-label', readable(PART_CHANNELS[id]));
    tick.addEventListener('change', () => {
      if (tick.checked) this.ticked.add(id);
      else this.ticked.delete(id);
      this.changed();
    });
    const picture = label.appendChild(svg('svg'));
    picture.setAttribute('aria-hidden', 'true');
    const swatch = picture.appendChild(svg('rect'));
    swatch.setAttribute('width', '100%');
    swatch.setAttribute('height', '100%');
    swatch.setAttribute('rx', '5');
    this.ticks[id] = tick;
    this.swatches[id] = swatch;
    return label;
  }
}

/** Parts of the left and the right side share a row. */
function rows(): Row[] {
  const found = new Map<string, number[]>();
  PART_CHANNELS.forEach((part, id) => {
    const name = readable(part.replace(/^(left|right)_/, ''));
    found.set(name, [...(found.get(name) ?? []), id]);
  });
  return [...found].map(([name, ids]) => ({ name, ids }));
}

const svg = <Name extends keyof SVGElementTagNameMap>(name: Name): SVGElementTagNameMap[Name] =>
  document.createElementNS('http://www.w3.org/2000/svg', name);

/** left_upper_arm_front: Left upper arm, front */
const readable = (part: string): string => {
  const words = part.replace(/_(front|back)$/, ', $1').replaceAll('_', ' ');
  return words[0].toUpperCase() + words.slice(1);
};
