// The relay path: one session with one home relay, kept for as long as the node runs. It carries appends in a
// bounded window, follows the box, and comes back by itself after any loss.
import { box, ProtocolError, type RelayId, SECOND_MS } from '@kith/protocols'
import { type Clock, sleep } from '../kernel/clock.ts'
import type { Log } from '../kernel/log.ts'
import type { Random } from '../kernel/random.ts'
import { createBackoff } from '../kernel/retry.ts'
import type { PeerAddress, Rpc, Subscription } from '../kernel/rpc.ts'
import type { OutboxEntry, Place } from './state.ts'

/** Appends under way at once: enough to fill a relay's group commit, little enough for one stream's queue. */
const APPENDS_IN_FLIGHT_MAX = 256
const BACKOFF_FIRST_MS = 200
/** What a session needs is asked for again less eagerly: it works without, only not for everybody. */
const PREPARE_FIRST_MS = 2 * SECOND_MS
/** A relay that is down for long is asked twice a minute: cheap for both, and soon enough when it returns. */
const BACKOFF_MAX_MS = 30 * SECOND_MS
/** An append whose outcome is unknown, and one that was refused without a word on when to return. */
const RETRY_UNKNOWN_MS = 2 * SECOND_MS
const RETRY_REFUSED_MS = 30 * SECOND_MS
/** Whatever a relay says of when to return: sooner would keep both busy with nothing else. */
export const RETRY_LEAST_MS = 200
/** A relay that contradicted itself is left alone for a while, so that its answer can be looked at. */
const DISTRUST_MS = 60 * SECOND_MS
/** A relay shows where its log stands at once. One that does not is as good as away, and asked again. */
const FIRST_ITEM_MS = 30 * SECOND_MS
/** One that goes on is left alone for longer each time, since every return reads its log from the beginning. */
const DISTRUST_EQUAL = 3
const DISTRUST_MAX_MS = 30 * 60 * SECOND_MS

export interface Home extends PeerAddress {
  readonly id: RelayId
}

export interface RelayRouteComponents {
  readonly rpc: Rpc
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

export interface RelayRouteInit {
  readonly home: Home
  /** Where to go on: what this device holds of the relay's log. */
  readonly resume: () => { storeEpoch: Uint8Array; number: number }
  /** The recipient's token for an envelope, empty without one. */
  readonly targets: (entry: OutboxEntry) => box.Target[]
  /** Things to settle with the relay at the beginning of a session; a failure is logged and tried again. */
  readonly prepare: (signal: AbortSignal) => Promise<void>
  readonly on: {
    online(): void
    offline(): void
    item(item: box.SubscribeItem): void
    /** `place`: where it says it is in the own box. */
    accepted(local: number, place: Place): void
    refused(local: number, reason: string, retryAfterMs: number): void
    /** Outcome unknown: the same bytes again, later. */
    unknown(local: number, retryAfterMs: number): void
  }
}

export class RelayRoute {
  readonly home: Home
  readonly #components: RelayRouteComponents
  readonly #init: RelayRouteInit
  readonly #stopping = new AbortController()
  readonly #waiting = new Map<number, OutboxEntry>()
  readonly #inFlight = new Set<number>()
  #session: AbortController | undefined
  #subscription: Subscription<box.SubscribeItem, box.Acknowledgement> | undefined
  #distrustedUntilMs = 0
  #distrusts = 0
  #running: Promise<void> | undefined

  constructor(components: RelayRouteComponents, init: RelayRouteInit) {
    this.#components = components
    this.#init = init
    this.home = init.home
  }

  get connected(): boolean {
    return this.#subscription !== undefined
  }

  start(): void {
    this.#running = this.#run(this.#stopping.signal)
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new ProtocolError('unavailable', 'stopping'))
    this.#session?.abort(this.#stopping.signal.reason)
    await this.#running
  }

  /** Sends an entry, or has it wait for its turn. A repeated call for one entry changes nothing. */
  append(entry: OutboxEntry): void {
    if (this.#inFlight.has(entry.local)) return
    this.#waiting.set(entry.local, entry)
    this.#fill()
  }

  acknowledge(acknowledgement: box.Acknowledgement): void {
    this.#subscription?.acknowledge(acknowledgement)
  }

  /** Replaces a slot in the recipient's box and ours. Resolves to whether the home has it. */
  async putSlot(slot: box.Slot, targets: box.Target[]): Promise<boolean> {
    if (!this.connected) return false
    try {
      await this.#components.rpc.request(this.home, box.boxPutSlot, { slot, targets })
      return true
    } catch (error) {
      this.#components.log.debug('slot-not-put', { reason: codeOf(error) })
      return false
    }
  }

  /** Ends the session with a relay that contradicted itself. */
  distrust(reason: string): void {
    const { clock, log } = this.#components
    log.warn('relay-distrusted', { reason })
    const nowMs = clock.monotonic()
    // What one session brings is one contradiction, however often it shows.
    const isOver = nowMs > this.#distrustedUntilMs + DISTRUST_MAX_MS
    if (nowMs >= this.#distrustedUntilMs) this.#distrusts = isOver ? 1 : this.#distrusts + 1
    const pauseMs = DISTRUST_MS * 2 ** Math.max(0, this.#distrusts - DISTRUST_EQUAL)
    this.#distrustedUntilMs = nowMs + Math.min(DISTRUST_MAX_MS, pauseMs)
    this.#session?.abort(new ProtocolError('forbidden', reason))
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, log, random } = this.#components
    const backoff = createBackoff({ firstMs: BACKOFF_FIRST_MS, maxMs: BACKOFF_MAX_MS, random })
    while (!signal.aborted) {
      let reason = 'ended'
      try {
        await this.#follow(() => backoff.reset())
      } catch (error) {
        reason = codeOf(error)
        log.debug('relay-session-ended', { reason })
      }
      this.#session?.abort(new ProtocolError('unreachable', 'the session is over'))
      if (this.#subscription !== undefined) {
        this.#subscription = undefined
        this.#waiting.clear()
        this.#init.on.offline()
      } else if (reason === 'forbidden') {
        // It does not know this device: its store is a new one. What it must have makes it let us in.
        await this.#prepareOnce(signal)
      }
      const pauseMs = Math.max(backoff.next(), this.#distrustedUntilMs - clock.monotonic())
      await sleep(clock, pauseMs, signal).catch(() => {
        // Stopping: the loop's condition ends it.
      })
    }
  }

  async #follow(onFirst: () => void): Promise<void> {
    this.#session = new AbortController()
    const { signal } = this.#session
    if (this.#stopping.signal.aborted) return
    const { storeEpoch, number } = this.#init.resume()
    const request = { storeEpoch, after: number }
    const { rpc } = this.#components
    const subscription = await rpc.subscribe(this.home, box.boxSubscribe, request, { signal })
    const session = this.#session
    const cancel = this.#components.clock.schedule(FIRST_ITEM_MS, () =>
      session.abort(new ProtocolError('timeout', 'nothing was shown'))
    )
    signal.addEventListener('abort', cancel, { once: true })
    let first = true
    for await (const item of subscription) {
      // Items that had arrived when the session was ended belong to nobody any more.
      signal.throwIfAborted()
      if (first) {
        first = false
        cancel()
        onFirst()
        this.#subscription = subscription
        this.#init.on.online()
        void this.#prepare(signal)
      }
      this.#init.on.item(item)
    }
  }

  /** Until it is settled or the session ends: contacts find nobody whose keys are not there. */
  async #prepare(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#components
    const backoff = createBackoff({ firstMs: PREPARE_FIRST_MS, maxMs: BACKOFF_MAX_MS, random })
    while (!signal.aborted && !(await this.#prepareOnce(signal))) {
      await sleep(clock, backoff.next(), signal).catch(() => {
        // The session ended: the loop's condition sees it.
      })
    }
  }

  async #prepareOnce(signal: AbortSignal): Promise<boolean> {
    try {
      await this.#init.prepare(signal)
      return true
    } catch (error) {
      if (!signal.aborted) {
        this.#components.log.warn('session-preparation-failed', { reason: codeOf(error) })
      }
      return false
    }
  }

  #fill(): void {
    for (const [local, entry] of this.#waiting) {
      if (this.#inFlight.size >= APPENDS_IN_FLIGHT_MAX) return
      this.#waiting.delete(local)
      this.#inFlight.add(local)
      void this.#send(entry)
    }
  }

  async #send(entry: OutboxEntry): Promise<void> {
    const { on, targets } = this.#init
    try {
      if (entry.sealed === undefined) throw new ProtocolError('internal', 'unsealed')
      const request = { envelope: entry.sealed.envelope, targets: targets(entry) }
      const stored = await this.#components.rpc.request(this.home, box.boxAppend, request)
      if (stored.number < 1) throw new ProtocolError('malformed', 'stored nowhere')
      this.#inFlight.delete(entry.local)
      const { storeEpoch, number } = stored
      on.accepted(entry.local, { relay: this.home.id, storeEpoch, number })
    } catch (error) {
      this.#inFlight.delete(entry.local)
      this.#failed(entry.local, error)
    }
    this.#fill()
  }

  #failed(local: number, error: unknown): void {
    const code = codeOf(error)
    const wanted = error instanceof ProtocolError ? error.retryAfterMs : undefined
    const retryAfterMs = wanted === undefined ? undefined : Math.max(RETRY_LEAST_MS, wanted)
    if (['unreachable', 'timeout', 'unavailable', 'rate-limited'].includes(code)) {
      this.#init.on.unknown(local, retryAfterMs ?? RETRY_UNKNOWN_MS)
    } else {
      this.#init.on.refused(local, code, retryAfterMs ?? RETRY_REFUSED_MS)
    }
  }
}

function codeOf(error: unknown): string {
  return error instanceof ProtocolError ? error.code : 'internal'
}
