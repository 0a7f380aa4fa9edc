// What is fresh: the newest entries and heads of boxes that somebody is subscribed to, kept in memory so that a
// live push reads no disk. Bounded by count and bytes; what fell out is read from the store.
import type { box as protocol } from '@kith/protocols'
import type { BoxNumber, Publication } from './box.ts'
import { CACHE_BYTES_MAX, CACHE_ENTRIES_MAX } from './constants.ts'

export interface LiveEntry {
  readonly entry: protocol.Entry
  /** Map key of the device that appended it. */
  readonly device: string
}

export interface Watcher {
  /** New entries are readable. */
  onEntries(): void
  /** The slot with this tag (as map key) changed. */
  onSlot(tag: string): void
}

type Generation = Map<BoxNumber, Map<number, LiveEntry>>

export class Live {
  readonly #watchers = new Map<BoxNumber, Set<Watcher>>()
  readonly #heads = new Map<BoxNumber, protocol.SignedHead>()
  /** Two generations of half the limits each: dropping the older one costs nothing per entry. */
  #young: Generation = new Map()
  #old: Generation = new Map()
  #youngEntries = 0
  #youngBytes = 0

  /** Calls the watcher until the returned function is called. */
  watch(box: BoxNumber, watcher: Watcher): () => void {
    const watchers = this.#watchers.get(box) ?? new Set()
    this.#watchers.set(box, watchers.add(watcher))
    return () => {
      watchers.delete(watcher)
      if (watchers.size > 0 || this.#watchers.get(box) !== watchers) return
      this.#watchers.delete(box)
      this.#heads.delete(box)
    }
  }

  /** Takes what a durable group commit added. */
  publish(publications: readonly Publication[]): void {
    for (const publication of publications) {
      const watchers = this.#watchers.get(publication.box)
      if (watchers === undefined) continue
      this.#heads.set(publication.box, publication.head)
      this.#keep(publication)
      for (const watcher of watchers) watcher.onEntries()
    }
  }

  slotChanged(box: BoxNumber, tag: string): void {
    for (const watcher of this.#watchers.get(box) ?? []) watcher.onSlot(tag)
  }

  /** The newest durable head, if this box is watched and one is known. */
  head(box: BoxNumber): protocol.SignedHead | undefined {
    return this.#heads.get(box)
  }

  /** Remembers a head read from the store, unless a newer one was published meanwhile. */
  offerHead(box: BoxNumber, head: protocol.SignedHead): protocol.SignedHead {
    const known = this.#heads.get(box)
    if (known !== undefined) return known
    if (this.#watchers.has(box)) this.#heads.set(box, head)
    return head
  }

  entry(box: BoxNumber, number: number): LiveEntry | undefined {
    return this.#young.get(box)?.get(number) ?? this.#old.get(box)?.get(number)
  }

  #keep({ box, receivedAtMs, entries }: Publication): void {
    const kept = this.#young.get(box) ?? new Map<number, LiveEntry>()
    this.#young.set(box, kept)
    for (const { number, append } of entries) {
      const { envelopeId, envelope, device } = append
      kept.set(number, { entry: { number, envelopeId, envelope, receivedAtMs }, device })
      this.#youngEntries += 1
      this.#youngBytes += envelope.byteLength
    }
    if (this.#youngEntries < CACHE_ENTRIES_MAX / 2 && this.#youngBytes < CACHE_BYTES_MAX / 2) return
    this.#old = this.#young
    this.#young = new Map()
    this.#youngEntries = 0
    this.#youngBytes = 0
  }
}
