// How much devices may bring to and take from this one directly. Whoever has an address can connect, and an
// identity costs nothing: contacts are limited each, strangers each and all together. What is refused here still
// comes through the box, within its own quota.
import {
  type DeviceId,
  HOUR_MS,
  KIB,
  MIB,
  MINUTE_MS,
  ProtocolError,
  type Rate
} from '@kith/protocols'
import type { Clock } from '../kernel/clock.ts'
import { RateLimiter } from '../kernel/rate-limit.ts'

/** A first contact is a welcome, an introduction and some messages; the box takes as many. */
export const STRANGER_ENVELOPES: Rate = { count: 30, windowMs: MINUTE_MS }
export const STRANGER_BYTES: Rate = { count: 512 * KIB, windowMs: MINUTE_MS }
/** Each is opened with every key it may be for, about a millisecond: below 1 % of a core. */
export const STRANGERS_ENVELOPES: Rate = { count: 240, windowMs: MINUTE_MS }
export const STRANGERS_BYTES: Rate = { count: 2 * MIB, windowMs: MINUTE_MS }
/** A contact that lost its groups makes each anew. */
export const PACKAGES_EACH: Rate = { count: 10, windowMs: MINUTE_MS }
/** Each costs a signature and a private half on disk; more first contacts an hour than anybody has. */
export const PACKAGES_STRANGERS: Rate = { count: 60, windowMs: HOUR_MS }

/** Who asks counts as known: a device of this account or of a contact. */
export type IsKnown = (device: DeviceId) => boolean

export class ServeLimits {
  readonly #clock: Clock
  readonly #isKnown: IsKnown
  readonly #limiter = new RateLimiter()

  constructor(init: { readonly clock: Clock; readonly isKnown: IsKnown }) {
    this.#clock = init.clock
    this.#isKnown = init.isKnown
  }

  /** Throws ProtocolError `rate-limited` with the time to wait. */
  deliver(device: DeviceId, envelopes: readonly Uint8Array[]): void {
    if (this.#isKnown(device)) return
    const bytes = envelopes.reduce((sum, { byteLength }) => sum + byteLength, 0)
    this.#take(device, 'stranger-envelopes', STRANGER_ENVELOPES, envelopes.length)
    this.#take(device, 'stranger-bytes', STRANGER_BYTES, bytes)
    this.#take('', 'strangers-envelopes', STRANGERS_ENVELOPES, envelopes.length)
    this.#take('', 'strangers-bytes', STRANGERS_BYTES, bytes)
  }

  /** Throws as `deliver`. */
  takePackage(device: DeviceId): void {
    this.#take(device, 'key-packages', PACKAGES_EACH, 1)
    if (!this.#isKnown(device)) this.#take('', 'strangers-key-packages', PACKAGES_STRANGERS, 1)
  }

  #take(who: string, name: string, rate: Rate, cost: number): void {
    const nowMs = this.#clock.monotonic()
    const waitMs = this.#limiter.bucket(who, name, rate, nowMs).take(nowMs, cost)
    if (waitMs > 0) throw new ProtocolError('rate-limited', name, { retryAfterMs: waitMs })
  }
}
