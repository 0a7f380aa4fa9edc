// Proof against a relay: two statements that it signed and that cannot both be true. Kept, so that whoever is asked
// to leave it, or to look into it, need not take anybody's word.
import { box, publicKeyOf, type RelayId } from '@kith/protocols'
import type { Clock } from '../kernel/clock.ts'
import type { Primitives } from '../kernel/primitives.ts'
import { decodeRecord, encodeRecord } from '../kernel/record.ts'
import { storeKey } from '../kernel/store/key.ts'
import type { Store } from '../kernel/store/store.ts'
import { contradictingReceipts, headsContradict, type Vouched } from './contradiction.ts'
import type { DeliveryEvent } from './inputs.ts'

/** What the user is told when two changes of a group both have a receipt. */
export const FORKED: DeliveryEvent = {
  type: 'notice',
  text: 'A relay let two changes of one group happen at once: messages of the other half may be missing. The proof is kept.'
}

const KEY = storeKey('delivery/evidence')

/** The first ones stay: a relay cannot make a device forget by contradicting itself more often. */
const EVIDENCE_MAX = 64
/** An older log served again shows when it grows past what it showed before: that many heads back. */
const HEADS_MAX = 64

export interface Evidence {
  readonly relay: RelayId
  /** When this device had both, by its clock. */
  readonly atMs: number
  /** `heads`: encoded SignedHeads of one store epoch. `receipts`: encoded SignedReceipts of one epoch of a group. */
  readonly kind: 'heads' | 'receipts'
  readonly statements: readonly [Uint8Array, Uint8Array]
}

export interface EvidenceComponents {
  readonly store: Store
  readonly primitives: Primitives
  readonly clock: Clock
}

export class EvidenceBook {
  readonly #components: EvidenceComponents
  /** What each relay vouched for in this run, the latest last. */
  readonly #heads = new Map<RelayId, readonly Vouched[]>()
  #writing: Promise<unknown> = Promise.resolve()

  constructor(components: EvidenceComponents) {
    this.#components = components
  }

  /** Whether the relay vouches for a head in this store epoch; keeps it together with one that it contradicts. */
  vouches(relay: RelayId, signed: box.SignedHead, storeEpoch: Uint8Array): boolean {
    const { primitives } = this.#components
    const commit = box.openSignedHead(signed, publicKeyOf(relay), storeEpoch, primitives)
    if (commit === undefined) return false
    const held = this.#heads.get(relay) ?? []
    const before = held.find((one) => headsContradict(one, { signed, commit }))
    this.#heads.set(relay, [...held, { signed, commit }].slice(-HEADS_MAX))
    if (before !== undefined) {
      const encode = box.SignedHead.encode
      this.#keep({ relay, kind: 'heads', statements: [encode(before.signed), encode(signed)] })
    }
    return true
  }

  /** The newest head that each relay vouched for in this run. */
  newest(): ReadonlyMap<RelayId, Vouched> {
    return new Map(
      [...this.#heads].flatMap(([relay, heads]) => {
        const last = heads.at(-1)
        return last === undefined ? [] : [[relay, last] as const]
      })
    )
  }

  /** Whether a relay let two commits end one epoch of a group: then it signed both, and that is kept. */
  receipts(one: Uint8Array, other: Uint8Array): boolean {
    const relay = contradictingReceipts(one, other, this.#components.primitives)
    if (relay !== undefined) this.#keep({ relay, kind: 'receipts', statements: [one, other] })
    return relay !== undefined
  }

  /** Everything kept, oldest first. */
  async list(): Promise<readonly Evidence[]> {
    await this.#writing
    const record = await this.#components.store.get(KEY)
    return record === undefined ? [] : decodeRecord<Evidence[]>(record)
  }

  /** Resolves when what was found is on disk, or cannot be written. */
  async settled(): Promise<void> {
    await this.#writing
  }

  #keep(found: Omit<Evidence, 'atMs'>): void {
    const { store, clock } = this.#components
    const evidence = { ...found, atMs: clock.now() }
    this.#writing = this.#writing
      .then(async () => {
        const record = await store.get(KEY)
        const kept = record === undefined ? [] : decodeRecord<Evidence[]>(record)
        if (kept.length >= EVIDENCE_MAX) return
        await store.commit([{ type: 'put', key: KEY, value: encodeRecord([...kept, evidence]) }])
      })
      .catch(() => {
        // A store that failed stops delivery as a whole, and says so.
      })
  }
}
