// Who is answered now: nobody whose account is suspended, nobody once the relay is about to stop, and nothing that needs
// room while the disk is nearly full.
import {
  box,
  type Caller,
  keyPackages,
  ProtocolError,
  publicKeyOf,
  sequencer
} from '@kith/protocols'
import type { Suspensions } from './admin/suspensions.ts'
import type { FreeSpace } from './limits/free-space.ts'

/** What adds to the disk. Operations of accounts are not among them: a lost device can always be removed. */
const NEEDS_ROOM: ReadonlySet<string> = new Set([
  box.boxAppend.id,
  box.boxPutSlot.id,
  keyPackages.keyPackagesPublish.id,
  sequencer.sequencerAppend.id
])
/** Somebody has to make room first: sooner would only cost. */
const LOW_DISK_RETRY_MS = 30_000
/** A relay that stops is usually back within seconds. */
const STOPPING_RETRY_MS = 2_000

export interface GateComponents {
  readonly suspensions: Pick<Suspensions, 'check'>
  readonly freeSpace: Pick<FreeSpace, 'isLow'>
}

export class Gate {
  readonly #components: GateComponents
  #running = 0
  #isStopping = false
  #onIdle: (() => void) | undefined

  constructor(components: GateComponents) {
    this.#components = components
  }

  get isStopping(): boolean {
    return this.#isStopping
  }

  /** Lets a request in, or throws ProtocolError; the function returned says that it has been answered. */
  enter(protocol: string, caller: Pick<Caller, 'device'>): () => void {
    this.check(caller)
    if (this.#components.freeSpace.isLow && NEEDS_ROOM.has(protocol)) {
      throw new ProtocolError('unavailable', 'disk-full', { retryAfterMs: LOW_DISK_RETRY_MS })
    }
    this.#running += 1
    return () => {
      this.#running -= 1
      if (this.#running === 0) this.#onIdle?.()
    }
  }

  /** Throws ProtocolError for somebody who is not answered at all. */
  check({ device }: Pick<Caller, 'device'>): void {
    if (this.#isStopping) {
      throw new ProtocolError('unavailable', 'stopping', { retryAfterMs: STOPPING_RETRY_MS })
    }
    this.#components.suspensions.check(publicKeyOf(device))
  }

  /** From here on nobody is let in; resolves once everybody who is in has been answered. */
  drain(): Promise<void> {
    this.#isStopping = true
    return new Promise((resolve) => {
      this.#onIdle = resolve
      if (this.#running === 0) resolve()
    })
  }
}
