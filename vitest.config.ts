// Workspace packages resolve to their TypeScript sources in tests, so that a test and the package it
// imports share one instance of every module.
import { defineConfig } from 'vitest/config'

const conditions = ['@kith/source', 'node', 'import', 'module', 'default']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ['*/test/**/*.test.ts'],
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000
  }
})
