import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // What is waited for comes when it comes: a busy machine is no failure.
    expect: { poll: { timeout: 20_000 } },
    // Two cores: more would only make the browser tests wait for each other.
    maxWorkers: 2,
    pool: 'forks',
    globalSetup: './test/build-pages.ts',
    reporters: ['default', './test/closing-line.ts'],
  },
});
