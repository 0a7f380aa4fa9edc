// A messenger on a machine with files: home folder, key file, store; Node only.

export type { Messenger } from '../messenger.ts'
export { checkEvidence } from './check-evidence.node.ts'
export { hasAccount } from './home.node.ts'
export { type LinkOptions, linkDevice } from './link-device.node.ts'
export { type CreateOptions, createAccount, type OpenOptions, openMessenger } from './open.node.ts'
