// The network in virtual time, at the kernel's Rpc port: connections between nodes, and on each connection lanes that
// keep their order while exchanges on different lanes and connections overtake each other. A connection is cut
// (both ends learn it, each in its own time), held (bytes wait and nobody is told), slow, or doubles requests.
import type { DeviceId } from '@kith/protocols'
import type { Dice } from '../storm/dice.ts'
import type { SimNode } from './node.ts'
import type { Scheduler } from './scheduler.ts'

/** Milliseconds on the way, least and most, of a good connection and of a slow one. */
const LATENCY_MS = [2, 60] as const
const SLOW_MS = [300, 4_000] as const
/** Within this much after a loss each end has learnt of it. */
const NOTICE_MS = 800
/** One in so many requests is doubled while a connection doubles: what a retry after a lost answer does. */
const DOUBLED_ONE_IN = 3

export type NetworkEvent = 'cut' | 'held' | 'slow' | 'doubled' | 'lost' | 'delivered'

export interface NetworkInit {
  readonly scheduler: Scheduler
  readonly dice: (purpose: string) => Dice
  readonly trace: (line: string) => void
  readonly count: (event: NetworkEvent) => void
}

/** Something under way between two nodes, lost with their connection. */
export interface Exchange {
  /** The end at `node` has learnt that the connection is gone. */
  lose(node: SimNode): void
}

/** Which way something goes. */
export interface Route {
  readonly from: SimNode
  readonly to: DeviceId
  readonly lane: string
  /** Of the connection, when the exchange began. */
  readonly life: number
}

/** What is between two nodes. */
export interface Link {
  readonly ends: readonly [DeviceId, DeviceId]
  readonly dice: Dice
  state: 'whole' | 'cut' | 'held'
  isSlow: boolean
  isDoubling: boolean
  isConnected: boolean
  /** Grows with each loss: what was sent before does not arrive. */
  life: number
  readonly exchanges: Set<Exchange>
  /** When the last of a lane arrives. */
  readonly lanes: Map<string, number>
  /** Held: at the other end, and not yet on the way. */
  readonly arrived: (() => void)[]
  readonly unsent: (() => void)[]
}

export class SimNetwork {
  readonly #init: NetworkInit
  readonly #nodes = new Map<DeviceId, SimNode>()
  readonly #links = new Map<string, Link>()
  /** One for each exchange that its serving end has not seen the end of. */
  readonly #serving = new Set<AbortController>()

  constructor(init: NetworkInit) {
    this.#init = init
  }

  get scheduler(): Scheduler {
    return this.#init.scheduler
  }

  join(node: SimNode): void {
    this.#nodes.set(node.id, node)
  }

  node(id: DeviceId): SimNode | undefined {
    return this.#nodes.get(id)
  }

  /** The node is gone with everything it had under way; its peers learn of it. */
  leave(node: SimNode): void {
    if (this.#nodes.get(node.id) === node) this.#nodes.delete(node.id)
    for (const link of this.#links.values()) if (link.ends.includes(node.id)) this.#lose(link)
  }

  link(a: DeviceId, b: DeviceId): Link {
    const name = a < b ? `${a} ${b}` : `${b} ${a}`
    const known = this.#links.get(name)
    if (known !== undefined) return known
    const link: Link = {
      ends: [a, b],
      dice: this.#init.dice(`link ${this.#links.size}`),
      state: 'whole',
      isSlow: false,
      isDoubling: false,
      isConnected: false,
      life: 0,
      exchanges: new Set(),
      lanes: new Map(),
      arrived: [],
      unsent: []
    }
    this.#links.set(name, link)
    return link
  }

  /** The connection is lost; until healed, none can be made. */
  cut(a: DeviceId, b: DeviceId): void {
    const link = this.link(a, b)
    link.state = 'cut'
    this.#init.count('cut')
    this.#lose(link)
  }

  /** The connection is lost; another can be made at once, if any could before. */
  reset(a: DeviceId, b: DeviceId): void {
    this.#lose(this.link(a, b))
  }

  /** Bytes wait, and nobody is told. */
  hold(a: DeviceId, b: DeviceId): void {
    const link = this.link(a, b)
    if (link.state === 'whole') link.state = 'held'
    this.#init.count('held')
  }

  /** Everything takes seconds. */
  slow(a: DeviceId, b: DeviceId): void {
    this.link(a, b).isSlow = true
  }

  /** Some requests arrive twice. */
  double(a: DeviceId, b: DeviceId): void {
    this.link(a, b).isDoubling = true
  }

  heal(a: DeviceId, b: DeviceId): void {
    const link = this.link(a, b)
    link.state = 'whole'
    link.isSlow = false
    link.isDoubling = false
    // On their way first: what arrives now is answered at once, and no answer overtakes them.
    const arrived = link.arrived.splice(0)
    for (const go of link.unsent.splice(0)) go()
    for (const arrive of arrived) arrive()
  }

  /** Whether `from` can reach `to` now: over a connection, or at its address. */
  reaches(from: DeviceId, to: DeviceId, hasAddress: boolean): boolean {
    const link = this.link(from, to)
    return this.#nodes.has(to) && link.state !== 'cut' && (hasAddress || link.isConnected)
  }

  /** Brings something to the other end, behind all that its lane carries already, in this life of the connection. */
  send({ from, to, lane, life }: Route, arrive: () => void): void {
    const link = this.link(from.id, to)
    if (this.#nodes.get(from.id) !== from) return
    const go = (): void => {
      if (life !== link.life) return
      const [least, most] = link.isSlow ? SLOW_MS : LATENCY_MS
      if (link.isSlow) this.#init.count('slow')
      const { scheduler } = this.#init
      const name = `${from.id} ${lane}`
      const soonest = scheduler.nowMs + link.dice.roll(least * 10, most * 10) / 10
      const atMs = Math.max(soonest, (link.lanes.get(name) ?? 0) + 0.01)
      link.lanes.set(name, atMs)
      scheduler.schedule(atMs - scheduler.nowMs, () => {
        if (life !== link.life) return this.#init.count('lost')
        // Held on the way: it is there when the hold is over.
        if (link.state === 'held') link.arrived.push(arrive)
        else arrive()
      })
    }
    if (link.state === 'held') link.unsent.push(go)
    else go()
  }

  isDoubled(from: DeviceId, to: DeviceId): boolean {
    const link = this.link(from, to)
    if (!link.isDoubling || !link.dice.oneIn(DOUBLED_ONE_IN)) return false
    this.#init.count('doubled')
    return true
  }

  beginServing(): AbortController {
    const serving = new AbortController()
    this.#serving.add(serving)
    return serving
  }

  endServing(serving: AbortController, why: Error): void {
    this.#serving.delete(serving)
    serving.abort(why)
  }

  /** The run is over. Composed signals that never abort are kept by Node, with all that they reach. */
  end(): void {
    for (const serving of this.#serving) this.endServing(serving, new Error('the run is over'))
  }

  trace(line: string): void {
    this.#init.trace(line)
  }

  count(event: NetworkEvent): void {
    this.#init.count(event)
  }

  /** Tells both ends that they are connected, the first time. */
  connect(a: SimNode, b: SimNode): void {
    const link = this.link(a.id, b.id)
    if (link.isConnected) return
    link.isConnected = true
    a.connection({ peer: b.id, connected: true })
    b.connection({ peer: a.id, connected: true })
  }

  /** Whatever is on its way is gone; each end that is there learns it in its own time. */
  #lose(link: Link): void {
    const wasConnected = link.isConnected
    const exchanges = [...link.exchanges]
    link.life += 1
    link.arrived.length = 0
    link.unsent.length = 0
    link.lanes.clear()
    link.isConnected = false
    link.exchanges.clear()
    const [a, b] = link.ends
    for (const [end, peer] of [
      [a, b],
      [b, a]
    ] as const) {
      const node = this.#nodes.get(end)
      if (node === undefined) continue
      this.#init.scheduler.schedule(link.dice.roll(0, NOTICE_MS), () => {
        for (const exchange of exchanges) exchange.lose(node)
        if (wasConnected && !link.isConnected) node.connection({ peer, connected: false })
      })
    }
  }
}
