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
    // Thousands of tests look at servers of their own: where a machine stands still for seconds, one of them may miss its moment.
    // A test that passes only the second time is marked in the output, and is to be mended.
    retry: process.env['CI'] === 'true' ? 1 : 0,
    hookTimeout: 60_000,
  },
})
