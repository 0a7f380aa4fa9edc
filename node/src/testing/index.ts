// Memory twins and suites for tests.
export * from './fake-clock.ts'
export * from './memory-network.ts'
