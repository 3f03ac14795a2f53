import { defineConfig } from 'vitest/config'
import config from './vitest.config.js'

/** npm run test:long: what takes too long for each change. */
export default defineConfig({
  ...config,
  test: { ...config.test, include: ['test/long/**/*.test.ts'], exclude: [] },
})
