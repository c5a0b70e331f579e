/** Before all tests: Python writes what it answers, to tests/fixtures. */

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

function python(): string {
  const given = process.env.PYTHON;
  if (given) return given;
  const own = fileURLToPath(new URL('../../.venv/bin/python', import.meta.url));
  return existsSync(own) ? own : 'python3';
}

export function setup(): void {
  const script = fileURLToPath(new URL('../scripts/fixtures.py', import.meta.url));
  const folder = fileURLToPath(new URL('./fixtures/', import.meta.url));
  try {
    execFileSync(python(), [script, folder], { stdio: ['ignore', 'inherit', 'inherit'] });
  } catch (error) {
    throw new Error(
      `${python()} cannot make the fixtures; it needs the bodypix package: ` +
        '`make test` sees to that, or set PYTHON.',
      { cause: error },
    );
  }
}
