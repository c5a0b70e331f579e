/**
 * Build the library into dist/: the module, the script-tag bundle, the worker, types, and the files
 * that they fetch (onnxruntime's WASM, models), so that nothing comes from anywhere else.
 */

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'vite';

const web = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(web, 'dist');
const weights = join(web, '..', 'src', 'bodypix', 'weights');
const require = createRequire(import.meta.url);

const { version } = JSON.parse(readFileSync(join(web, 'package.json'), 'utf8'));

const RUNTIMES = ['ort-wasm-simd-threaded', 'ort-wasm-simd-threaded.jspi'];

const common = {
  root: web,
  configFile: false,
  publicDir: false,
  logLevel: 'warn',
  // onnxruntime-web without its WASM glue inside: that lies beside the worker.
  resolve: { conditions: ['onnxruntime-web-use-extern-wasm', 'module', 'browser', 'import'] },
};

function library(format, file, importMetaUrl) {
  return build({
    ...common,
    define: {
      VERSION: JSON.stringify(version),
      ...(importMetaUrl === undefined ? {} : { 'import.meta.url': importMetaUrl }),
    },
    build: {
      outDir: dist,
      emptyOutDir: false,
      target: 'es2022',
      minify: true,
      sourcemap: true,
      lib: {
        entry: join(web, 'src/index.ts'),
        formats: [format],
        name: 'bodyPix',
        fileName: () => file,
      },
    },
  });
}

function worker() {
  return build({
    ...common,
    build: {
      outDir: dist,
      emptyOutDir: false,
      target: 'es2022',
      minify: true,
      sourcemap: true,
      modulePreload: false,
      rollupOptions: {
        input: join(web, 'src/worker/worker.ts'),
        output: {
          format: 'es',
          entryFileNames: 'bodypix-worker.js',
          chunkFileNames: 'bodypix-[name].js',
        },
      },
    },
  });
}

function files() {
  const runtime = dirname(require.resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm'));
  for (const name of RUNTIMES) {
    for (const suffix of ['.mjs', '.wasm'])
      cpSync(join(runtime, name + suffix), join(dist, name + suffix));
  }
  cpSync(join(web, 'THIRD-PARTY.txt'), join(dist, 'THIRD-PARTY.txt'));
  mkdirSync(join(dist, 'models'), { recursive: true });
  // A model with an address is not in the package: a page would ask another site for it.
  const models = JSON.parse(readFileSync(join(weights, 'models.json'), 'utf8'));
  const here = models.filter(({ url }) => url === undefined);
  writeFileSync(join(dist, 'models', 'models.json'), JSON.stringify(here, null, 2) + '\n');
  for (const { file } of here) cpSync(join(weights, file), join(dist, 'models', file));
}

rmSync(dist, { recursive: true, force: true });
await library('es', 'bodypix.js');
await library('iife', 'bodypix.iife.js', 'document.currentScript.src');
await worker();
files();
execFileSync(
  join(web, 'node_modules', '.bin', 'tsc'),
  [
    '--project',
    join(web, 'tsconfig.json'),
    '--noEmit',
    'false',
    '--declaration',
    '--emitDeclarationOnly',
    '--rootDir',
    join(web, 'src'),
    '--rewriteRelativeImportExtensions',
    '--outDir',
    join(dist, 'types'),
  ],
  { stdio: 'inherit' },
);
