// Memory twins and suites for tests.
export { createSymbolicCrypto, type SymbolicInit } from '../groups/symbolic.ts'
export * from './fake-clock.ts'
export * from './memory-network.ts'
export * from './people.ts'
export * from './suites/group-crypto.ts'
export * from './suites/store.ts'
