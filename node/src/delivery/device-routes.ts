// The direct path: envelopes straight to the devices of others, in parallel with the relay path. Whatever fails
// here is no loss, since the outbox and the relays keep everything; so nothing here is stored.
import { type DeviceId, direct, type MessageId, messageIdOf, SECOND_MS } from '@kith/protocols'
import type { Clock } from '../kernel/clock.ts'
import type { Log } from '../kernel/log.ts'
import type { Random } from '../kernel/random.ts'
import { type Backoff, createBackoff } from '../kernel/retry.ts'
import type { PeerAddress, Rpc } from '../kernel/rpc.ts'
import type { OutboxEntry } from './state.ts'

/** Of one request; `direct/index.ts` allows 64 envelopes and 512 KiB. */
const ENVELOPES_MAX = 64
const BYTES_MAX = 448 * 1_024
/** Entries waiting for one device. What does not fit is offered again when the device is next reachable. */
const WAITING_MAX = 1_024
/** Devices known at once; beyond, the ones not spoken to for longest are forgotten. */
const DEVICES_MAX = 4_096
/** A device that cannot be dialled is tried again soon, then ever more rarely: it may have moved or sleep. */
const RETRY_FIRST_MS = SECOND_MS
const RETRY_MAX_MS = 120 * SECOND_MS

export interface DeviceRoutesComponents {
  readonly rpc: Rpc
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

export interface DeviceRoutesInit {
  /** The device has these on disk. */
  held(device: DeviceId, ids: readonly MessageId[]): void
  /** It may be reachable: whatever is for it can be offered again. */
  online(device: DeviceId): void
}

interface Route {
  addresses: readonly string[]
  readonly waiting: Map<MessageId, OutboxEntry>
  readonly backoff: Backoff
  sending: boolean
  cancelRetry: (() => void) | undefined
}

export class DeviceRoutes {
  readonly #components: DeviceRoutesComponents
  readonly #init: DeviceRoutesInit
  readonly #routes = new Map<DeviceId, Route>()
  #stopped = false

  constructor(components: DeviceRoutesComponents, init: DeviceRoutesInit) {
    this.#components = components
    this.#init = init
  }

  /** Where a device said, or was seen, to be. News of an address ends its waiting for the next try. */
  learn(device: DeviceId, addresses: readonly string[]): void {
    if (this.#stopped || addresses.length === 0) return
    const route = this.#route(device)
    if (route.addresses.join() === addresses.join()) return
    route.addresses = addresses
    this.#reachable(device, route)
  }

  /** Where a device is reached; without addresses over a connection that it made. */
  peerOf(device: DeviceId): PeerAddress {
    return { id: device, addresses: this.#routes.get(device)?.addresses ?? [] }
  }

  /** The device has connected to this one, so it can be answered on that connection. */
  connected(device: DeviceId): void {
    if (!this.#stopped) this.#reachable(device, this.#route(device))
  }

  /** Brings an entry to a device; nothing happens while there is no way to it. */
  deliver(device: DeviceId, entry: OutboxEntry): void {
    const route = this.#routes.get(device)
    if (this.#stopped || route === undefined || entry.sealed === undefined) return
    if (route.cancelRetry !== undefined || route.waiting.size >= WAITING_MAX) return
    route.waiting.set(entry.sealed.id, entry)
    void this.#send(device, route)
  }

  stop(): void {
    this.#stopped = true
    for (const route of this.#routes.values()) route.cancelRetry?.()
    this.#routes.clear()
  }

  #reachable(device: DeviceId, route: Route): void {
    route.cancelRetry?.()
    route.cancelRetry = undefined
    route.backoff.reset()
    this.#init.online(device)
  }

  #route(device: DeviceId): Route {
    const known = this.#routes.get(device)
    if (known !== undefined) return known
    const { random } = this.#components
    const route: Route = {
      addresses: [],
      waiting: new Map(),
      backoff: createBackoff({ firstMs: RETRY_FIRST_MS, maxMs: RETRY_MAX_MS, random }),
      sending: false,
      cancelRetry: undefined
    }
    const [oldest] = this.#routes.keys()
    if (this.#routes.size >= DEVICES_MAX && oldest !== undefined) this.#routes.delete(oldest)
    this.#routes.set(device, route)
    return route
  }

  async #send(device: DeviceId, route: Route): Promise<void> {
    if (route.sending) return
    route.sending = true
    try {
      for (let batch = take(route); batch.length > 0; batch = take(route)) {
        const { delivered } = await this.#components.rpc.request(
          this.peerOf(device),
          direct.directDeliver,
          { envelopes: batch }
        )
        route.backoff.reset()
        this.#init.held(device, delivered.map(messageIdOf))
      }
    } catch (error) {
      this.#failed(device, route, error)
    } finally {
      route.sending = false
    }
  }

  #failed(device: DeviceId, route: Route, error: unknown): void {
    this.#components.log.debug('direct-path-failed', { reason: String(error) })
    route.waiting.clear()
    if (this.#stopped) return
    route.cancelRetry?.()
    route.cancelRetry = this.#components.clock.schedule(route.backoff.next(), () => {
      route.cancelRetry = undefined
      this.#init.online(device)
    })
  }
}

/** The next envelopes, as many as one request takes. */
function take(route: Route): Uint8Array[] {
  const batch: Uint8Array[] = []
  let bytes = 0
  for (const [id, { sealed }] of route.waiting) {
    const size = sealed?.envelope.byteLength ?? 0
    if (batch.length >= ENVELOPES_MAX || (batch.length > 0 && bytes + size > BYTES_MAX)) break
    route.waiting.delete(id)
    if (sealed !== undefined) batch.push(sealed.envelope)
    bytes += size
  }
  return batch
}
