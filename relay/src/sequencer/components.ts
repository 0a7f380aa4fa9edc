// What the handler of the sequencer is given.
import type { KeyPair, Primitives, Write } from '@kith/node/kernel'
import type { Directory } from '../identity/directory.ts'
import type { StoreReader } from '../storage/reader.ts'

export interface SequencerComponents {
  readonly store: StoreReader
  readonly directory: Directory
  readonly primitives: Pick<Primitives, 'sha256' | 'sign' | 'verify'>
  /** The relay's own; signs receipts. */
  readonly keys: KeyPair
  /** Resolves once on disk. */
  readonly commit: (writes: readonly Write[]) => Promise<void>
}
