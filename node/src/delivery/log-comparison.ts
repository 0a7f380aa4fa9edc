// Devices of one account show each other, without a relay between, what relays signed last about the account's box: a
// relay that keeps something from one of them, or tells them different things, is found out as soon as they meet.
import {
  type AccountId,
  box,
  type DeviceId,
  direct,
  idBytes,
  publicKeyOf,
  relayIdOf,
  SECOND_MS
} from '@kith/protocols'
import { equals } from 'uint8arrays/equals'
import type { Clock } from '../kernel/clock.ts'
import type { Log } from '../kernel/log.ts'
import type { Primitives } from '../kernel/primitives.ts'
import type { PeerAddress, Rpc } from '../kernel/rpc.ts'
import { openHead } from './contradiction.ts'
import type { EvidenceBook } from './evidence.ts'
import type { ShownHead } from './state.ts'

/** At most once in so long, and only after something new: cheap beside the messages that made it so. */
const PAUSE_MS = 60 * SECOND_MS
/** What devices that have just met are about to say to their relays comes first. */
const GATHER_MS = SECOND_MS
/** Homes of an account, with room for those that it left lately. */
const HEADS_MAX = 8

export interface LogComparisonComponents {
  readonly rpc: Rpc
  readonly clock: Clock
  readonly log: Log
  readonly primitives: Primitives
  readonly evidence: EvidenceBook
}

export interface LogComparisonInit {
  readonly self: AccountId
  readonly isOwnDevice: (device: DeviceId) => boolean
  readonly peerOf: (device: DeviceId) => PeerAddress
  readonly onShown: (head: ShownHead) => void
}

export class LogComparison {
  readonly #components: LogComparisonComponents
  readonly #init: LogComparisonInit
  /** Own devices that could be reached when last tried. */
  readonly #near = new Set<DeviceId>()
  #comparedAtMs = Number.NEGATIVE_INFINITY
  #cancel: (() => void) | undefined

  constructor(components: LogComparisonComponents, init: LogComparisonInit) {
    this.#components = components
    this.#init = init
  }

  /** A device may be reachable; others than the account's own make no difference. */
  meet(device: DeviceId): void {
    if (!this.#init.isOwnDevice(device)) return
    this.#near.add(device)
    this.#schedule()
  }

  /** A relay has signed something new. */
  changed(): void {
    if (this.#near.size > 0) this.#schedule()
  }

  /** What another own device was shown, in exchange for what this one was. */
  answer({ heads }: direct.LogHeads): direct.LogHeads {
    const own = this.#own()
    this.#take(heads)
    return own
  }

  stop(): void {
    this.#cancel?.()
    this.#near.clear()
  }

  #schedule(): void {
    const { clock } = this.#components
    if (this.#cancel !== undefined) return
    const pauseMs = this.#comparedAtMs + PAUSE_MS - clock.monotonic()
    this.#cancel = clock.schedule(Math.max(GATHER_MS, pauseMs), () => {
      this.#cancel = undefined
      this.#comparedAtMs = clock.monotonic()
      for (const device of this.#near) void this.#compare(device)
    })
  }

  async #compare(device: DeviceId): Promise<void> {
    const { rpc, log } = this.#components
    try {
      const { heads } = await rpc.request(
        this.#init.peerOf(device),
        direct.directHeads,
        this.#own()
      )
      this.#take(heads)
    } catch (error) {
      // It sleeps or is far away: it is asked again when it is met again.
      this.#near.delete(device)
      log.debug('logs-not-compared', { reason: String(error) })
    }
  }

  #own(): direct.LogHeads {
    const newest = [...this.#components.evidence.newest()].slice(0, HEADS_MAX)
    return {
      heads: newest.map(([relay, { signed }]) => ({
        relay: publicKeyOf(relay),
        head: box.SignedHead.encode(signed)
      }))
    }
  }

  #take(heads: readonly direct.LogHead[]): void {
    const { evidence, primitives } = this.#components
    for (const { relay: key, head } of heads.slice(0, HEADS_MAX)) {
      const relay = relayIdOf(key)
      const opened = openHead(head, relay, primitives)
      const of = opened?.signed.head
      if (opened === undefined || of === undefined) continue
      if (!equals(of.box, idBytes(this.#init.self))) continue
      const { storeEpoch } = opened.commit
      evidence.vouches(relay, opened.signed, storeEpoch)
      this.#init.onShown({ relay, storeEpoch, number: of.number, chain: of.chain })
    }
  }
}
