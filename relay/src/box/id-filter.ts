// Which envelopes the store may hold: a Bloom filter over their ids, so that a new envelope is placed without a
// read from disk. It never says "not held" of one that is; when it errs, the store is asked. It grows by layers, each
// sixteen times the last, so that a small relay keeps a small filter (scalable Bloom filters, Almeida et al. 2007).

/** Bits of each layer: 128 KiB, 2 MiB, 32 MiB. */
const LAYERS_LOG2 = [20, 24, 28] as const
/** A layer takes an id for so many bits, about one wrong answer in 200; the last takes all that come. */
const BITS_PER_ID = 12
/** Bits an id sets. An id is a SHA-256, so its own words serve as the hash functions. */
const PROBES = 4

interface Layer {
  readonly words: Uint32Array
  readonly shift: number
  readonly idsMax: number
  ids: number
}

export interface IdFilter {
  /** Smallest first; ids go into the last. */
  readonly layers: Layer[]
  /** Every id on disk has been added: "not held" can be relied on. */
  isComplete: boolean
}

/** An empty filter, complete only for an empty store. */
export function createIdFilter(): IdFilter {
  return { layers: [createLayer(0)], isComplete: false }
}

function createLayer(index: number): Layer {
  const bitsLog2 = LAYERS_LOG2[index] as number
  const bits = 2 ** bitsLog2
  const isLast = index === LAYERS_LOG2.length - 1
  return {
    words: new Uint32Array(bits / 32),
    shift: 32 - bitsLog2,
    idsMax: isLast ? Number.POSITIVE_INFINITY : bits / BITS_PER_ID,
    ids: 0
  }
}

/** `envelopeId`: 32 bytes. */
export function addId({ layers }: IdFilter, envelopeId: Uint8Array): void {
  let layer = layers.at(-1) as Layer
  if (layer.ids >= layer.idsMax) {
    layer = createLayer(layers.length)
    layers.push(layer)
  }
  layer.ids += 1
  const { words, shift } = layer
  for (let probe = 0; probe < PROBES; probe++) {
    const bit = wordOf(envelopeId, probe) >>> shift
    words[bit >>> 5] = (words[bit >>> 5] as number) | (1 << (bit & 31))
  }
}

/** False: certainly not held. Always true before the filter is complete. */
export function mayHold({ layers, isComplete }: IdFilter, envelopeId: Uint8Array): boolean {
  return !isComplete || layers.some((layer) => layerMayHold(layer, envelopeId))
}

function layerMayHold({ words, shift }: Layer, envelopeId: Uint8Array): boolean {
  for (let probe = 0; probe < PROBES; probe++) {
    const bit = wordOf(envelopeId, probe) >>> shift
    if (((words[bit >>> 5] as number) & (1 << (bit & 31))) === 0) return false
  }
  return true
}

function wordOf(envelopeId: Uint8Array, probe: number): number {
  const at = probe * 4
  return (
    ((envelopeId[at] as number) << 24) |
    ((envelopeId[at + 1] as number) << 16) |
    ((envelopeId[at + 2] as number) << 8) |
    (envelopeId[at + 3] as number)
  )
}
