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

export class Linking {
  readonly #components: LinkingComponents
  readonly #table = createLinkTable()
  readonly #watchers = new Map<Rendezvous, Set<Wake>>()

  constructor(components: LinkingComponents) {
    this.#components = components
  }

  /** Links under way, and the sealed bytes they hold. */
  get usage(): { readonly links: number; readonly bytes: number } {
    expire(this.#table, this.#components.clock.monotonic())
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

  /** Pushes what is there, in order, then what comes; returns when the meeting place's time is over. */
  async watch(
    { rendezvous: name }: protocol.WatchRequest,
    publisher: LinkPublisher,
    { publicKey, signal }: Pick<Caller, 'publicKey' | 'signal'>
  ): Promise<void> {
    const { clock } = this.#components
    const nowMs = clock.monotonic()
    const rendezvous = this.#meet(name, { publicKey }, nowMs)
    if (rendezvous.watchers >= WATCHERS_MAX) throw new ProtocolError('quota', 'watchers')
    const over = new AbortController()
    const ended = AbortSignal.any([signal, over.signal])
    const wake = new Wake(ended)
    const watchers = this.#watchers.get(rendezvous) ?? new Set()
    this.#watchers.set(rendezvous, watchers.add(wake))
    rendezvous.watchers += 1
    const cancel = clock.schedule(rendezvous.expiresAtMs - nowMs, () => over.abort())
    try {
      await this.#push(rendezvous, publisher, wake, ended)
    } finally {
      cancel()
      rendezvous.watchers -= 1
      watchers.delete(wake)
      if (watchers.size === 0) this.#watchers.delete(rendezvous)
      closeIfIdle(this.#table, rendezvous)
    }
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
    // What was left there goes with its time, whether anybody comes again or not.
    expire(this.#table, this.#components.clock.monotonic())
  }

  #meet(name: Uint8Array, { publicKey }: From, nowMs: number): Rendezvous {
    requireBytes(name, HASH_BYTES, 'a rendezvous')
    const visitor: Visitor = {
      device: mapKey(publicKey),
      isOfAccount: this.#components.directory.ofDevice(publicKey) !== undefined
    }
    return meet(this.#table, mapKey(name), visitor, nowMs)
  }

  #wake(rendezvous: Rendezvous): void {
    for (const wake of this.#watchers.get(rendezvous) ?? []) wake.now()
  }
}
