// How fast one account may fill boxes and one host may make accounts, however many devices and connections they
// have. What a single device may call is limited by each protocol already.
import { type Clock, RateLimiter } from '@kith/node/kernel'
import { MINUTE_MS, ProtocolError, type Rate, SECOND_MS } from '@kith/protocols'
import type { RelayLimits } from '../config/index.ts'
import { mapKey } from '../storage/keys.ts'

/** Messages come in bursts: whoever was silent may send as much at once as in ten seconds. */
const BURST_MS = 10 * SECOND_MS
/** A family that starts on one evening; more wait some seconds each. */
const REGISTRATION_BURST = 3

export class Rates {
  readonly #clock: Clock
  readonly #limiter = new RateLimiter()
  readonly #appends: Rate
  readonly #placements: Rate
  readonly #registrations: Rate

  constructor(limits: RelayLimits, clock: Clock) {
    this.#clock = clock
    const perSecond = (count: number): Rate => ({
      count: (count * BURST_MS) / SECOND_MS,
      windowMs: BURST_MS
    })
    this.#appends = perSecond(limits.accountAppendsPerSecond)
    this.#placements = perSecond(limits.accountPlacementsPerSecond)
    this.#registrations = {
      count: REGISTRATION_BURST,
      windowMs: (REGISTRATION_BURST * MINUTE_MS) / limits.registrationsPerHostAndMinute
    }
  }

  /**
   * An account (32 bytes) puts one envelope or slot into `placements` boxes. Throws ProtocolError `rate-limited`
   * with the time to wait.
   */
  append(account: Uint8Array, placements: number): void {
    const name = mapKey(account)
    this.#take(name, 'account-appends', this.#appends, 1)
    this.#take(name, 'account-placements', this.#placements, placements)
  }

  /** Somebody makes an account from a host; undefined where hosts are not known. Throws as `append`. */
  register(host: string | undefined): void {
    if (host !== undefined) this.#take(host, 'registrations', this.#registrations, 1)
  }

  #take(who: string, name: string, rate: Rate, cost: number): void {
    const nowMs = this.#clock.monotonic()
    const waitMs = this.#limiter.bucket(who, name, rate, nowMs).take(nowMs, cost)
    if (waitMs > 0) throw new ProtocolError('rate-limited', name, { retryAfterMs: waitMs })
  }
}
