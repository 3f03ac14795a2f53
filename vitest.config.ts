import { defineConfig } from 'vitest/config'

const conditions = ['maestra-source', 'node']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'test/**/*.test.ts'],
    // npm run test:long and test:hosts: vitest.long.config.ts, vitest.hosts.config.ts.
    exclude: ['test/long/**', 'test/hosts/**', '**/node_modules/**'],
    globalSetup: ['test/harness/global-setup.ts'],
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
