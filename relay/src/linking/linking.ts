// linking/put and linking/watch over one table of meeting places, and the clock that ends them.
import type { Clock } from '@kith/node/kernel'
import {
  type Caller,
  HASH_BYTES,
  ProtocolError,
  type Publisher,
  type linking as protocol,
  requireBytes
} from '@kith/protocols'
import { settledOrAborted, Wake } from '../box/wake.ts'
import type { Directory } from '../identity/directory.ts'
import { mapKey } from '../storage/keys.ts'
import {
  closeIfIdle,
  createLinkTable,
  expire,
  leave,
  meet,
  type Rendezvous,
  type Visitor,
  WATCHERS_MAX
} from './state.ts'

export interface LinkingComponents {
  readonly directory: Pick<Directory, 'ofDevice'>
  readonly clock: Clock
}

type From = Pick<Caller, 'publicKey'>
type LinkPublisher = Pick<Publisher<protocol.WatchItem, protocol.WatchAcknowledgement>, 'push'>

interface Watch {
  readonly ending: AbortController
  wake: Wake | undefined
}

export class Linking {
  readonly #components: LinkingComponents
  readonly #table = createLinkTable()
  /** By the watching device, as map key. */
  readonly #watches = new Map<Rendezvous, Map<string, Watch>>()
  #isExpiring = false

  constructor(components: LinkingComponents) {
    this.#components = components
  }

  /** Links under way, and the sealed bytes they hold. */
  get usage(): { readonly links: number; readonly bytes: number } {
    return { links: this.#table.byName.size, bytes: this.#table.bytes }
  }

  /** Throws what `meet` and `leave` throw. */
  async put(
    { rendezvous: name, index, sealed }: protocol.PutRequest,
    caller: From
  ): Promise<protocol.PutResponse> {
    const nowMs = this.#components.clock.monotonic()
    const rendezvous = this.#meet(name, caller, nowMs)
    try {
      if (leave(this.#table, rendezvous, { index, sealed }, nowMs)) this.#wake(rendezvous)
    } finally {
      closeIfIdle(this.#table, rendezvous)
    }
    return {}
  }

  /**
   * Pushes what is there, in order, then what comes; returns when the meeting place is closed. A device watches a
   * place once, and the newest watch wins: a line that died unnoticed holds up nobody.
   */
  async watch(
    { rendezvous: name }: protocol.WatchRequest,
    publisher: LinkPublisher,
    { publicKey, signal }: Pick<Caller, 'publicKey' | 'signal'>
  ): Promise<void> {
    const rendezvous = this.#meet(name, { publicKey }, this.#components.clock.monotonic())
    const watch = this.#begin(rendezvous, mapKey(publicKey))
    const ended = AbortSignal.any([signal, watch.ending.signal])
    watch.wake = new Wake(ended)
    try {
      await this.#push(rendezvous, publisher, watch.wake, ended)
    } finally {
      this.#end(rendezvous, mapKey(publicKey), watch)
    }
    const reason: unknown = watch.ending.signal.reason
    if (reason instanceof ProtocolError) throw reason
  }

  #begin(rendezvous: Rendezvous, device: string): Watch {
    const watches = this.#watches.get(rendezvous) ?? new Map<string, Watch>()
    if (!watches.has(device) && watches.size >= WATCHERS_MAX) {
      throw new ProtocolError('quota', 'watchers')
    }
    watches.get(device)?.ending.abort(new ProtocolError('conflict', 'watched-again'))
    const watch: Watch = { ending: new AbortController(), wake: undefined }
    this.#watches.set(rendezvous, watches.set(device, watch))
    rendezvous.watchers = watches.size
    return watch
  }

  #end(rendezvous: Rendezvous, device: string, watch: Watch): void {
    const watches = this.#watches.get(rendezvous)
    if (watches?.get(device) !== watch) return
    watches.delete(device)
    rendezvous.watchers = watches.size
    if (watches.size === 0) this.#watches.delete(rendezvous)
    closeIfIdle(this.#table, rendezvous)
  }

  async #push(
    rendezvous: Rendezvous,
    publisher: LinkPublisher,
    wake: Wake,
    signal: AbortSignal
  ): Promise<void> {
    const pushed = new Set<number>()
    while (!signal.aborted) {
      const next = [...rendezvous.messages.keys()]
        .filter((index) => !pushed.has(index))
        .sort((a, b) => a - b)[0]
      const sealed = next === undefined ? undefined : rendezvous.messages.get(next)
      if (next === undefined || sealed === undefined) {
        await wake.wait()
        continue
      }
      pushed.add(next)
      await settledOrAborted(publisher.push({ index: next, sealed }), signal)
    }
  }

  /** What was left goes with its time, whether anybody comes again or not. */
  #expireLater(): void {
    const { clock } = this.#components
    const [oldest] = this.#table.byName.values()
    if (this.#isExpiring || oldest === undefined) return
    this.#isExpiring = true
    clock.schedule(Math.max(1, oldest.expiresAtMs - clock.monotonic()), () => {
      this.#isExpiring = false
      expire(this.#table, clock.monotonic())
      this.#endClosed()
      this.#expireLater()
    })
  }

  #endClosed(): void {
    for (const [rendezvous, watches] of this.#watches) {
      if (!rendezvous.isClosed) continue
      for (const { ending } of watches.values()) ending.abort()
    }
  }

  #meet(name: Uint8Array, { publicKey }: From, nowMs: number): Rendezvous {
    requireBytes(name, HASH_BYTES, 'a rendezvous')
    const visitor: Visitor = {
      device: mapKey(publicKey),
      isOfAccount: this.#components.directory.ofDevice(publicKey) !== undefined
    }
    try {
      return meet(this.#table, mapKey(name), visitor, nowMs)
    } finally {
      this.#endClosed()
      this.#expireLater()
    }
  }

  #wake(rendezvous: Rendezvous): void {
    for (const { wake } of this.#watches.get(rendezvous)?.values() ?? []) wake?.now()
  }
}
