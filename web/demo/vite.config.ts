/** The page, built into the Python package, which serves it. */

import { cpSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { defineConfig, type Plugin } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const { version } = JSON.parse(readFileSync(here('../package.json'), 'utf8'));
const library = here('../dist');
const page = here('../../src/bodypix/serve/page');

/** The built library beside the page: the worker, WASM and models are fetched from there. */
const copyLibrary = (): Plugin => ({
  name: 'copy-library',
  apply: 'build',
  closeBundle: () =>
    cpSync(library, `${page}/lib`, {
      recursive: true,
      filter: (path) => !/[\\/]types$|\.map$/.test(path),
    }),
});

export default defineConfig({
  define: { VERSION: JSON.stringify(version) },
  base: './', // the page may lie in any folder of a server
  build: {
    outDir: page,
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    assetsInlineLimit: 0, // nothing inline: the page's content security policy forbids it
  },
  plugins: [copyLibrary()],
});
