// Linking: how a further device comes to belong to an account, and how one leaves it.
export { installBundle, packBundle, unpackBundle } from './bundle.ts'
export { parseLinkCode } from './code.ts'
export { requireDeviceName } from './device-names.ts'
export { type Devices, openDevices } from './devices.ts'
export type { Emoji } from './emoji.ts'
export { linkError } from './failures.ts'
export { waitForGroups } from './groups.ts'
export { LinkHost } from './host.ts'
export {
  beginNew,
  createNewStep,
  type NewEffect,
  type NewInput,
  type NewState
} from './new-device.ts'
export { LinkRun, relayExchange } from './run.ts'
export { drawSeeds } from './seeds.ts'
export { rendezvousOf } from './talk.ts'
