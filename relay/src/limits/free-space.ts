// Free space on the disk of the store: below a floor nothing new is taken, so that what is there can be served, and
// compacted, until somebody makes room.
import type { Clock, Gauge, Log } from '@kith/node/kernel'
import { SECOND_MS } from '@kith/protocols'

/** A disk does not fill by more than some hundred megabytes in this time at the rates that a relay takes. */
const CHECK_EVERY_MS = 10 * SECOND_MS
/** It is taken again only with this part more than the floor, so that it does not flap. */
const MARGIN = 1.1

export interface FreeSpaceInit {
  /** Bytes left to this process on the disk of the store. */
  readonly freeBytes: () => Promise<number>
  readonly least: () => number
  readonly clock: Clock
  readonly log: Log
  readonly gauge: Gauge
}

export class FreeSpace {
  readonly #init: FreeSpaceInit
  #isLow = false
  #cancel: (() => void) | undefined
  #stopped = false

  constructor(init: FreeSpaceInit) {
    this.#init = init
  }

  get isLow(): boolean {
    return this.#isLow
  }

  /** Looks now, then every ten seconds until stopped. */
  async start(): Promise<void> {
    await this.look()
    if (this.#stopped) return
    this.#cancel = this.#init.clock.schedule(CHECK_EVERY_MS, () => void this.start())
  }

  stop(): void {
    this.#stopped = true
    this.#cancel?.()
  }

  /** A disk that cannot be asked is taken as it was. */
  async look(): Promise<void> {
    const { freeBytes, least, log, gauge } = this.#init
    const free = await freeBytes().catch(() => undefined)
    if (free === undefined) return
    gauge.set(free)
    const floor = least()
    const isLow = this.#isLow ? free < floor * MARGIN : free < floor
    if (isLow && !this.#isLow) log.error('little room on the disk: nothing new is taken', { free })
    if (!isLow && this.#isLow) log.info('room on the disk again', { free })
    this.#isLow = isLow
  }
}
