/** For vitest; the builds are in scripts/build.mjs. */

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    environment: 'node',
    globalSetup: ['tests/setup.ts'],
    // One process after the other: the tests are short and the fixtures large.
    fileParallelism: false,
  },
});
