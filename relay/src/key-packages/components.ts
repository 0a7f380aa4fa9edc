// What the handlers of the key-package service are given.
import type { Clock, Primitives, RateLimiter, Write } from '@kith/node/kernel'
import type { RelayEvents } from '../events.ts'
import type { Directory } from '../identity/directory.ts'
import type { Serial } from '../limits/serial.ts'
import type { StoreReader } from '../storage/reader.ts'

export interface KeyPackageComponents {
  readonly store: StoreReader
  readonly primitives: Pick<Primitives, 'sha256'>
  readonly directory: Directory
  readonly clock: Clock
  readonly events: RelayEvents
  readonly takers: RateLimiter
  /** Packages are published and taken one after the other, so that none is handed out twice. */
  readonly packageTurns: Serial
  /** Resolves once on disk. */
  readonly commit: (writes: readonly Write[]) => Promise<void>
}
