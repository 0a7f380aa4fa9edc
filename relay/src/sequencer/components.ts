// What the handler of the sequencer is given.
import type { Primitives, Write } from '@kith/node/kernel'
import type { Directory } from '../identity/directory.ts'
import type { StoreReader } from '../storage/reader.ts'

export interface SequencerComponents {
  readonly store: StoreReader
  readonly directory: Directory
  readonly primitives: Primitives
  /** 32 bytes, Ed25519 seed of the relay; signs receipts. */
  readonly privateKey: Uint8Array
  /** Resolves once on disk. */
  readonly commit: (writes: readonly Write[]) => Promise<void>
}
