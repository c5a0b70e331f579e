/** One key for each tool, where the visitor is not typing or choosing. */

export interface Key {
  pressed: () => void;
  released?: () => void;
}

export function listen(keys: Readonly<Record<string, Key>>): void {
  document.addEventListener('keydown', (event) => {
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    const { target } = event;
    if (target instanceof HTMLSelectElement) return;
    if (target instanceof HTMLInputElement && target.type === 'text') return;
    keys[event.key.toLowerCase()]?.pressed();
  });
  document.addEventListener('keyup', (event) => keys[event.key.toLowerCase()]?.released?.());
}
