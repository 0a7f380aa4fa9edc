// Which envelopes the store may hold: a Bloom filter over their ids, so that a new envelope is placed without a
// read from disk. It never says "not held" of one that is; when it errs, the store is asked.

/** 2^27 bits, 16 MiB: one wrong answer in 250 with ten million envelopes held, one in eight with thirty. */
const BITS_LOG2 = 27
const WORDS = 2 ** BITS_LOG2 / 32
/** Bits an id sets. An id is a SHA-256, so its own words serve as the hash functions. */
const PROBES = 4
const SHIFT = 32 - BITS_LOG2

export interface IdFilter {
  readonly words: Uint32Array
  /** Every id on disk has been added: "not held" can be relied on. */
  isComplete: boolean
}

/** An empty filter, complete only for an empty store. */
export function createIdFilter(): IdFilter {
  return { words: new Uint32Array(WORDS), isComplete: false }
}

/** `envelopeId`: 32 bytes. */
export function addId({ words }: IdFilter, envelopeId: Uint8Array): void {
  for (let probe = 0; probe < PROBES; probe++) {
    const bit = bitOf(envelopeId, probe)
    words[bit >>> 5] = (words[bit >>> 5] as number) | (1 << (bit & 31))
  }
}

/** False: certainly not held. Always true before the filter is complete. */
export function mayHold({ words, isComplete }: IdFilter, envelopeId: Uint8Array): boolean {
  if (!isComplete) return true
  for (let probe = 0; probe < PROBES; probe++) {
    const bit = bitOf(envelopeId, probe)
    if (((words[bit >>> 5] as number) & (1 << (bit & 31))) === 0) return false
  }
  return true
}

function bitOf(envelopeId: Uint8Array, probe: number): number {
  const at = probe * 4
  const word =
    ((envelopeId[at] as number) << 24) |
    ((envelopeId[at + 1] as number) << 16) |
    ((envelopeId[at + 2] as number) << 8) |
    (envelopeId[at + 3] as number)
  return word >>> SHIFT
}
