// The kernel's public surface, used by the node's features and by the relay.
export * from './clock.ts'
export * from './log.ts'
export * from './machine.ts'
export * from './primitives.ts'
export * from './random.ts'
export * from './store/store.ts'
