import { defineConfig } from 'vitest/config'
import config from './vitest.config.js'

/** npm run test:hosts: what needs root and, on a machine without them, packages of Debian. */
export default defineConfig({
  ...config,
  test: {
    ...config.test,
    include: ['test/hosts/**/*.test.ts'],
    exclude: [],
    globalSetup: ['test/hosts/programs-setup.ts', 'test/harness/global-setup.ts'],
    hookTimeout: 120_000,
  },
})
