// The public surface of @kith/node.
export * from './api.ts'
export * from './groups/group-crypto.ts'
export { createMessenger, type Messenger } from './messenger.ts'
