// One node's place in the simulated network: what the kernel calls Network, with exchanges that are events.
import type { ConnectionChange, Network, PeerAddress, Rpc, Subscription } from '@kith/node/kernel'
import {
  type DeviceId,
  deviceIdOf,
  type Handler,
  type Protocol,
  ProtocolError,
  type Publisher,
  type SubscriptionHandler,
  type SubscriptionProtocol
} from '@kith/protocols'
import type { Exchange, Link, SimNetwork } from './network.ts'
import { ItemQueue, PushWindow } from './subscription.ts'

/** A failed dial is known after this long. */
const DIAL_MS = 40

type AnyHandler = (request: unknown, caller: CallerOf) => Promise<unknown>
type AnySubscriptionHandler = (
  request: unknown,
  publisher: Publisher<unknown, unknown>,
  caller: CallerOf
) => Promise<void>

interface CallerOf {
  readonly device: DeviceId
  readonly publicKey: Uint8Array
  readonly signal: AbortSignal
}

const lost = (): ProtocolError => new ProtocolError('unreachable', 'the connection was lost')

export interface SimNodeInit {
  readonly name: string
  readonly publicKey: Uint8Array
  readonly address: string
}

export class SimNode implements Network {
  readonly id: DeviceId
  readonly name: string
  readonly publicKey: Uint8Array
  readonly rpc: Rpc
  readonly #network: SimNetwork
  readonly #address: string
  readonly #handlers = new Map<string, AnyHandler>()
  readonly #subscriptions = new Map<string, AnySubscriptionHandler>()
  readonly #listeners = new Set<(change: ConnectionChange) => void>()
  #isUp = true

  constructor(network: SimNetwork, { name, publicKey, address }: SimNodeInit) {
    this.#network = network
    this.name = name
    this.publicKey = publicKey
    this.id = deviceIdOf(publicKey)
    this.#address = address
    this.rpc = this.#createRpc()
    network.join(this)
  }

  addresses(): string[] {
    return [`${this.#address}/p2p/${this.id}`]
  }

  onConnection(listener: (change: ConnectionChange) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  onDiscovery(): () => void {
    return () => {}
  }

  disconnect(peer: DeviceId): void {
    this.#network.reset(this.id, peer)
  }

  async stop(): Promise<void> {
    if (!this.#isUp) return
    this.#isUp = false
    this.#network.leave(this)
  }

  connection(change: ConnectionChange): void {
    if (this.#isUp) for (const listener of this.#listeners) listener(change)
  }

  #createRpc(): Rpc {
    const serve: Rpc['serve'] = (protocol, handler) => {
      this.#handlers.set(protocol.id, handler as Handler<never> as AnyHandler)
      return () => void this.#handlers.delete(protocol.id)
    }
    const serveSubscription: Rpc['serveSubscription'] = (protocol, handler) => {
      const served = handler as SubscriptionHandler<never> as unknown as AnySubscriptionHandler
      this.#subscriptions.set(protocol.id, served)
      return () => void this.#subscriptions.delete(protocol.id)
    }
    return {
      serve,
      serveSubscription,
      request: (peer, protocol, message, options) =>
        this.#request(peer, protocol, message, options?.signal),
      subscribe: (peer, protocol, message, { signal }) =>
        this.#subscribe(peer, protocol, message, signal)
    }
  }

  #request<Request, Response>(
    peer: PeerAddress,
    protocol: Protocol<Request, Response>,
    message: Request,
    signal: AbortSignal | undefined
  ): Promise<Response> {
    const { promise, resolve, reject } = Promise.withResolvers<Response>()
    const target = peer.id as string as DeviceId
    const { scheduler } = this.#network
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    if (!this.#isUp || !this.#network.reaches(this.id, target, peer.addresses.length > 0)) {
      scheduler.schedule(DIAL_MS, () => reject(lost()))
      return promise
    }
    const link = this.#network.link(this.id, target)
    const there = { from: this, to: target, lane: protocol.lane, life: link.life }
    const onAbort = (): void => exchange.end(() => reject(signal?.reason))
    const cancelTimeout = scheduler.schedule(protocol.limits.timeoutMs, () =>
      exchange.end(() => reject(new ProtocolError('timeout', protocol.id)))
    )
    const exchange = openExchange(this, { link, network: this.#network }, () => {
      cancelTimeout()
      signal?.removeEventListener('abort', onAbort)
    })
    exchange.onLost = () => reject(lost())
    signal?.addEventListener('abort', onAbort, { once: true })
    const ask = (): void =>
      this.#network.send(there, () => {
        const node = this.#network.node(target)
        if (node === undefined) return
        this.#network.connect(this, node)
        this.#network.count('delivered')
        this.#network.trace(`${node.name} < ${this.name} ${protocol.id}`)
        const caller = { device: this.id, publicKey: this.publicKey, signal: exchange.signal }
        const back = { ...there, from: node, to: this.id }
        node.#answer(protocol.id, message, caller).then(
          (response) =>
            this.#network.send(back, () => exchange.end(() => resolve(response as Response))),
          (error: unknown) =>
            this.#network.send(back, () => exchange.end(() => reject(refusalOf(error))))
        )
      })
    ask()
    if (this.#network.isDoubled(this.id, target)) ask()
    return promise
  }

  #answer(protocol: string, message: unknown, caller: CallerOf): Promise<unknown> {
    const handler = this.#handlers.get(protocol)
    if (handler === undefined) return Promise.reject(new ProtocolError('not-found', protocol))
    return handler(message, caller)
  }

  async #subscribe<Request, Item, Acknowledgement>(
    peer: PeerAddress,
    protocol: SubscriptionProtocol<Request, Item, Acknowledgement>,
    message: Request,
    signal: AbortSignal
  ): Promise<Subscription<Item, Acknowledgement>> {
    const target = peer.id as string as DeviceId
    const { scheduler } = this.#network
    signal.throwIfAborted()
    if (!this.#isUp || !this.#network.reaches(this.id, target, peer.addresses.length > 0)) {
      await new Promise<void>((resolve) => void scheduler.schedule(DIAL_MS, resolve))
      throw lost()
    }
    const link = this.#network.link(this.id, target)
    const there = { from: this, to: target, lane: protocol.lane, life: link.life }
    const window = new PushWindow()
    const onAbort = (): void => exchange.end(() => queue.end(signal.reason))
    const exchange = openExchange(this, { link, network: this.#network }, () => {
      signal.removeEventListener('abort', onAbort)
      window.close()
    })
    const queue = new ItemQueue<Item, Acknowledgement>({
      acknowledge: (acknowledgement, credit) =>
        this.#network.send(there, () => window.acknowledge(acknowledgement, credit)),
      close: () => exchange.end(() => queue.end(undefined))
    })
    exchange.onLost = () => queue.end(lost())
    signal.addEventListener('abort', onAbort, { once: true })
    this.#network.send(there, () => {
      const node = this.#network.node(target)
      if (node === undefined) return
      const handler = node.#subscriptions.get(protocol.id)
      this.#network.connect(this, node)
      this.#network.trace(`${node.name} < ${this.name} ${protocol.id}`)
      const back = { ...there, from: node, to: this.id }
      const toHere = (arrive: () => void): void => this.#network.send(back, arrive)
      const caller = { device: this.id, publicKey: this.publicKey, signal: exchange.signal }
      const publisher: Publisher<unknown, unknown> = {
        push: (item) =>
          window.push(() =>
            toHere(() => {
              if (exchange.signal.aborted) return
              this.#network.trace(`${this.name} < ${node.name} item`)
              queue.take(item as Item)
            })
          ),
        onAcknowledgement: (listener) => window.listen(listener)
      }
      const serving =
        handler?.(message, publisher, caller) ??
        Promise.reject(new ProtocolError('not-found', protocol.id))
      serving.then(
        () => toHere(() => exchange.end(() => queue.end(undefined))),
        (error: unknown) => toHere(() => exchange.end(() => queue.end(refusalOf(error))))
      )
    })
    return queue
  }
}

const refusalOf = (error: unknown): ProtocolError =>
  error instanceof ProtocolError ? error : new ProtocolError('internal', 'handler-failed')

interface OpenExchange extends Exchange {
  /** Aborted at the serving end when it is over. */
  readonly signal: AbortSignal
  onLost: () => void
  /** Calls back unless it has ended already. */
  end(then: () => void): void
}

/** An exchange that `caller` began. */
function openExchange(
  caller: SimNode,
  { link: { exchanges }, network }: { link: Link; network: SimNetwork },
  onEnd: () => void
): OpenExchange {
  const serving = network.beginServing()
  let isOver = false
  const exchange: OpenExchange = {
    signal: serving.signal,
    onLost: () => {},
    end(then) {
      if (isOver) return
      isOver = true
      exchanges.delete(exchange)
      onEnd()
      network.endServing(serving, lost())
      then()
    },
    lose(node) {
      if (node === caller) exchange.end(exchange.onLost)
      else network.endServing(serving, lost())
    }
  }
  exchanges.add(exchange)
  return exchange
}
