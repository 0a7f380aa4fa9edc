// Memory twins and suites for tests, and what a test needs to seal as a device would.
export { sealEnvelope } from '../conversations/sealing.ts'
export { loadState } from '../delivery/load.ts'
export { createSymbolicCrypto, type SymbolicInit } from '../groups/symbolic.ts'
export * from './fake-clock.ts'
export * from './memory-network.ts'
export * from './people.ts'
export * from './suites/group-crypto.ts'
export * from './suites/store.ts'
