// What the handlers of the box service are given.
import type { Failpoint, Primitives, Write } from '@kith/node/kernel'
import type { RelayEvents } from '../events.ts'
import type { Directory } from '../identity/directory.ts'
import type { Rates } from '../limits/rates.ts'
import type { Slots } from '../slots/slots.ts'
import type { StoreReader } from '../storage/reader.ts'
import type { Boxes } from './boxes.ts'

export interface BoxComponents {
  readonly boxes: Boxes
  readonly slots: Slots
  readonly directory: Directory
  readonly store: StoreReader
  readonly primitives: Primitives
  readonly events: RelayEvents
  readonly rates: Rates
  /** Resolves once on disk. */
  readonly commit: (writes: readonly Write[]) => Promise<void>
  readonly failpoint?: Failpoint | undefined
}
