/** The panel's form, kept equal to the settings. */

import { DEFAULTS, type Settings } from './settings.ts';

export class Controls {
  readonly settings: Settings;

  /** @param changed called with the field's name after each change by the visitor */
  constructor(
    private readonly form: HTMLFormElement,
    changed: (field: keyof Settings) => void,
  ) {
    this.settings = { ...DEFAULTS };
    this.show();
    form.addEventListener('submit', (event) => event.preventDefault());
    form.addEventListener('input', (event) => {
      const field = event.target as HTMLInputElement | HTMLSelectElement;
      if (!(field.name in DEFAULTS)) return;
      this.read(field);
      this.decorate();
      changed(field.name as keyof Settings);
    });
  }

  /** Back to how the page was at first. */
  reset(): void {
    Object.assign(this.settings, DEFAULTS, { model: this.settings.model });
    this.show();
  }

  /** Settings to fields. */
  show(): void {
    for (const field of this.fields()) {
      const value = this.settings[field.name as keyof Settings];
      if (field instanceof HTMLInputElement && field.type === 'checkbox') {
        field.checked = Boolean(value);
      } else if (field instanceof HTMLInputElement && field.type === 'radio') {
        field.checked = field.value === value;
      } else {
        field.value = String(value);
      }
    }
    this.decorate();
  }

  private read(field: HTMLInputElement | HTMLSelectElement): void {
    const value =
      field.type === 'checkbox' ? (field as HTMLInputElement).checked
      : field.type === 'range' ? Number(field.value)
      : field.value;
    Object.assign(this.settings, { [field.name]: value });
  }

  /** Numbers beside sliders, and only the groups that matter to what is chosen. */
  private decorate(): void {
    for (const slider of this.form.querySelectorAll<HTMLInputElement>('input[type=range]')) {
      const { min, max, dataset } = slider;
      const filled = (Number(slider.value) - Number(min)) / (Number(max) - Number(min));
      slider.style.setProperty('--filled', String(filled));
      const shown =
        dataset.unit === undefined
          ? `${Math.round(Number(slider.value) * 100)} %`
          : slider.value + dataset.unit;
      slider.setAttribute('aria-valuetext', shown);
      slider.parentElement!.querySelector('output')!.textContent = shown;
    }
    const { effect, background, people } = this.settings;
    for (const part of this.form.querySelectorAll<HTMLElement>('[data-for], [data-people]')) {
      part.hidden = !(
        (part.dataset.for ?? effect).split(' ').includes(effect) &&
        (part.dataset.background ?? background) === background &&
        (part.dataset.people ?? people) === people
      );
    }
  }

  private fields(): (HTMLInputElement | HTMLSelectElement)[] {
    return [...this.form.elements].filter(
      (field): field is HTMLInputElement | HTMLSelectElement =>
        (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) &&
        field.name in DEFAULTS,
    );
  }
}
