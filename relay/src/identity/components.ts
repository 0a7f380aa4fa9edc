// What the handlers of the identity service are given.
import type { Primitives, Write } from '@kith/node/kernel'
import type { RelayId } from '@kith/protocols'
import type { RelayConfig } from '../config.ts'
import type { RelayEvents } from '../events.ts'
import type { Invites } from '../invites/index.ts'
import type { StoreReader } from '../storage/reader.ts'
import type { Directory, Hosted } from './directory.ts'

export interface IdentityComponents {
  readonly relay: RelayId
  readonly store: StoreReader
  readonly directory: Directory
  readonly invites: Invites
  readonly primitives: Primitives
  readonly config: Pick<RelayConfig, 'registration' | 'limits'>
  readonly events: RelayEvents
  /** Resolves once on disk. */
  readonly commit: (writes: readonly Write[]) => Promise<void>
  /** Resolves once the new account's empty box is signed and on disk. */
  readonly openBox: (hosted: Hosted) => Promise<void>
}
