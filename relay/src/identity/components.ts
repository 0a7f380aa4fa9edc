// What the handlers of the identity service are given.
import type { Primitives, Write } from '@kith/node/kernel'
import type { RelayId } from '@kith/protocols'
import type { BoxNumber } from '../box/box.ts'
import type { RelayConfig } from '../config/index.ts'
import type { RelayEvents } from '../events.ts'
import type { InviteBook } from '../invites/index.ts'
import type { Rates } from '../limits/rates.ts'
import type { Serial } from '../limits/serial.ts'
import type { StoreReader } from '../storage/reader.ts'
import type { Directory, Hosted } from './directory.ts'

/** Devices that leave an account. */
export interface DeviceRemoval {
  readonly box: BoxNumber
  /** 32 bytes each */
  readonly devices: readonly Uint8Array[]
  /** The operation that removes them, and the account after it. */
  readonly writes: readonly Write[]
  /** Makes the directory forget them. */
  revoke(): void
}

export interface IdentityComponents {
  readonly relay: RelayId
  readonly store: StoreReader
  readonly directory: Directory
  readonly invites: Pick<InviteBook, 'find'>
  /** Turns in which accounts are made and changed. */
  readonly appends: Serial
  readonly primitives: Primitives
  readonly config: Pick<RelayConfig, 'registration' | 'listen' | 'limits'>
  readonly events: RelayEvents
  readonly rates: Rates
  /** Resolves once the writes and the end of all that is kept for the devices are on disk, together. */
  readonly removeDevices: (removal: DeviceRemoval) => Promise<void>
  /** Resolves once on disk. */
  readonly commit: (writes: readonly Write[]) => Promise<void>
  /** Resolves once the new account's empty box is signed and on disk. */
  readonly openBox: (hosted: Hosted) => Promise<void>
}
