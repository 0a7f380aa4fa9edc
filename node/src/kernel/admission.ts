// Who may connect: decides about each inbound connection before its handshake, by where it comes from, and after
// it, by who it is. Nobody is refused because others came first: room is made by ending what is least worth
// keeping, and the connections of known peers are never ended for it.
import { type DeviceId, HOUR_MS, ProtocolError, type Rate, SECOND_MS } from '@kith/protocols'
import type { Clock } from './clock.ts'
import type { Counter, Metrics } from './metrics.ts'
import { RateLimiter } from './rate-limit.ts'
import type { RemoteHost } from './remote-host.ts'

export interface AdmissionLimits {
  /** Handshakes in progress, and how many of them are kept for hosts from which known peers came. */
  readonly pendingMax: number
  readonly pendingReserved: number
  /** Handshakes in progress from one network. */
  readonly pendingPerNetworkMax: number
  /** New connections of one host; a WebSocket counts twice, before and after its upgrade. */
  readonly connectsPerHost: Rate
  /** Handshakes of one host. */
  readonly handshakesPerHost: Rate
  /** Handshakes for hosts from which no known peer came, all together. */
  readonly handshakes: Rate
  /** Inbound connections, and how many of them strangers may have. */
  readonly connectionsMax: number
  readonly strangersMax: number
  readonly strangersPerNetworkMax: number
  /** A connection that opened no stream of ours for this long is ended. */
  readonly unusedMs: number
}

export interface AdmissionInit {
  readonly limits: AdmissionLimits
  readonly clock: Clock
  readonly metrics: Metrics
  /** Whether a peer is one whose connection must be kept: on a relay, a device of an account hosted here. */
  readonly isKnown: (peer: DeviceId) => boolean
}

/** One connection whose handshake is not done. */
export interface PendingConnection {
  readonly remote: RemoteHost
  readonly isFamiliar: boolean
  /** Ends it. */
  readonly abort: (reason: Error) => void
}

/** One whose handshake proved who it is. */
export interface AdmittedConnection {
  readonly remote: RemoteHost
  readonly peer: DeviceId
  readonly abort: (reason: Error) => void
}

interface Admitted extends AdmittedConnection {
  readonly openedAtMs: number
  isUsed: boolean
}

/** Hosts remembered because a known peer came from them; some 100 bytes each. */
const FAMILIAR_MAX = 10_000
/** Homes and offices keep their address for about a day. */
const FAMILIAR_MS = 24 * HOUR_MS
/** A host whose connection broke the rules is refused for this long, unless known peers share its address. */
const PENALTY_MS = 30 * SECOND_MS
/** Hosts remembered as penalised; the oldest are forgiven. */
const PENALISED_MAX = 10_000
const SWEEP_MS = 10 * SECOND_MS

const REASONS = ['pending', 'rate', 'penalty', 'strangers', 'full', 'unused'] as const
type Reason = (typeof REASONS)[number]

export class Admission {
  readonly #init: AdmissionInit
  readonly #limiter = new RateLimiter()
  /** In order of arrival. */
  readonly #pending = new Set<PendingConnection>()
  readonly #admitted = new Map<object, Admitted>()
  /** Those of the admitted whose peer was not known when last looked at, oldest first. */
  readonly #strangers = new Set<Admitted>()
  readonly #familiar = new Map<string, number>()
  readonly #penalised = new Map<string, number>()
  #cancelSweep: (() => void) | undefined

  constructor(init: AdmissionInit) {
    this.#init = init
    // Counted from the start, so that a monitor sees the first one as a change.
    for (const reason of REASONS) this.#refused(reason)
  }

  get pending(): number {
    return this.#pending.size
  }

  get admitted(): number {
    return this.#admitted.size
  }

  /** A connection arrived. Undefined: refuse it. Otherwise `end` must follow. */
  begin(remote: RemoteHost, abort: (reason: Error) => void): PendingConnection | undefined {
    const nowMs = this.#now()
    const { limits } = this.#init
    const isFamiliar = this.#isFamiliar(remote, nowMs)
    if (!isFamiliar && this.#isPenalised(remote, nowMs)) return this.#refuse('penalty')
    if (!remote.isOwnMachine && !this.#take(remote.host, 'connects', limits.connectsPerHost)) {
      return this.#refuse('rate')
    }
    this.#makePendingRoom(remote, isFamiliar)
    const pending = { remote, isFamiliar, abort }
    this.#pending.add(pending)
    return pending
  }

  /** Before the costly part of a handshake. False: refuse it. */
  mayHandshake({ remote, isFamiliar }: PendingConnection): boolean {
    const { handshakes, handshakesPerHost } = this.#init.limits
    const isWithin =
      (remote.isOwnMachine || this.#take(remote.host, 'handshakes', handshakesPerHost)) &&
      (isFamiliar || this.#take('all', 'handshakes', handshakes))
    if (!isWithin) this.#refuse('rate')
    return isWithin
  }

  /** Its handshake succeeded or failed. */
  end(pending: PendingConnection): void {
    this.#pending.delete(pending)
  }

  /** Its handshake succeeded; `connection` names it from now on. May end it at once, or another for it. */
  opened(connection: object, admitted: AdmittedConnection): void {
    const record: Admitted = { ...admitted, openedAtMs: this.#now(), isUsed: false }
    this.#admitted.set(connection, record)
    if (this.#init.isKnown(record.peer)) this.#remember(record.remote)
    else this.#strangers.add(record)
    this.#makeRoom(record)
    this.#watch()
  }

  /** It opened a stream of ours. */
  used(connection: object): void {
    const record = this.#admitted.get(connection)
    if (record !== undefined) record.isUsed = true
  }

  /** One of its connections broke the rules: refuses the host for a while. */
  penalise({ host, isOwnMachine }: RemoteHost): void {
    if (isOwnMachine) return
    this.#penalised.delete(host)
    this.#penalised.set(host, this.#now() + PENALTY_MS)
    dropOldest(this.#penalised, PENALISED_MAX)
  }

  closed(connection: object): void {
    const record = this.#admitted.get(connection)
    if (record === undefined) return
    this.#admitted.delete(connection)
    this.#strangers.delete(record)
  }

  stop(): void {
    this.#cancelSweep?.()
  }

  #makePendingRoom(remote: RemoteHost, isFamiliar: boolean): void {
    const { pendingMax, pendingReserved, pendingPerNetworkMax } = this.#init.limits
    const ofNetwork = remote.isOwnMachine ? [] : this.#pendingOf(remote.network)
    if (ofNetwork.length >= pendingPerNetworkMax) this.#endPending(ofNetwork[0])
    const unfamiliar = [...this.#pending].filter((one) => !one.isFamiliar)
    if (!isFamiliar && unfamiliar.length >= pendingMax - pendingReserved) {
      this.#endPending(oldestOfLargest(unfamiliar))
    } else if (this.#pending.size >= pendingMax) {
      this.#endPending(oldestOfLargest(unfamiliar.length > 0 ? unfamiliar : [...this.#pending]))
    }
  }

  #pendingOf(network: string): PendingConnection[] {
    return [...this.#pending].filter((one) => one.remote.network === network)
  }

  #endPending(victim: PendingConnection | undefined): void {
    if (victim === undefined) return
    this.#pending.delete(victim)
    this.#refuse('pending')
    victim.abort(new ProtocolError('unavailable', 'too many handshakes'))
  }

  #makeRoom(record: Admitted): void {
    const { connectionsMax, strangersMax, strangersPerNetworkMax } = this.#init.limits
    if (this.#strangers.has(record) && !record.remote.isOwnMachine) {
      const { network } = record.remote
      const ofNetwork = [...this.#strangers].filter((one) => one.remote.network === network)
      if (ofNetwork.length > strangersPerNetworkMax) this.#endStranger(ofNetwork)
    }
    if (this.#strangers.size > strangersMax) this.#endStranger(this.#strangers)
    if (this.#admitted.size <= connectionsMax) return
    if (!this.#endStranger(this.#strangers)) this.#end(record, 'full')
  }

  /** The oldest that is still a stranger; it had the longest time to do what strangers come for. */
  #endStranger(among: Iterable<Admitted>): boolean {
    for (const stranger of among) {
      if (this.#init.isKnown(stranger.peer)) {
        this.#befriend(stranger)
        continue
      }
      this.#end(stranger, 'strangers')
      return true
    }
    return false
  }

  #befriend(stranger: Admitted): void {
    this.#strangers.delete(stranger)
    this.#remember(stranger.remote)
  }

  #end(record: Admitted, reason: Reason): void {
    for (const [connection, one] of this.#admitted) if (one === record) this.closed(connection)
    this.#refuse(reason)
    record.abort(new ProtocolError('unavailable', 'no room for more connections'))
  }

  #watch(): void {
    this.#cancelSweep ??= this.#init.clock.schedule(SWEEP_MS, () => {
      this.#cancelSweep = undefined
      this.#sweep()
      if (this.#admitted.size > 0) this.#watch()
    })
  }

  #sweep(): void {
    const oldestMs = this.#now() - this.#init.limits.unusedMs
    for (const record of [...this.#admitted.values()]) {
      if (!record.isUsed && record.openedAtMs < oldestMs) this.#end(record, 'unused')
    }
    for (const stranger of [...this.#strangers]) {
      if (this.#init.isKnown(stranger.peer)) this.#befriend(stranger)
    }
  }

  #remember({ host, isOwnMachine }: RemoteHost): void {
    // Whoever comes through a proxy has its address: that says nothing.
    if (isOwnMachine) return
    this.#familiar.delete(host)
    this.#familiar.set(host, this.#now())
    dropOldest(this.#familiar, FAMILIAR_MAX)
  }

  #isFamiliar({ host }: RemoteHost, nowMs: number): boolean {
    const since = this.#familiar.get(host)
    return since !== undefined && nowMs - since < FAMILIAR_MS
  }

  #isPenalised({ host }: RemoteHost, nowMs: number): boolean {
    return (this.#penalised.get(host) ?? 0) > nowMs
  }

  #take(host: string, name: string, rate: Rate): boolean {
    const nowMs = this.#now()
    return this.#limiter.bucket(host, name, rate, nowMs).take(nowMs) === 0
  }

  #refuse(reason: Reason): undefined {
    this.#refused(reason).add()
  }

  #refused(reason: Reason): Counter {
    const help = 'Connections refused or ended for room'
    return this.#init.metrics.counter('kith_connections_refused_total', help, { reason })
  }

  #now(): number {
    return this.#init.clock.monotonic()
  }
}

/** Of the network that has the most: whoever sends a flood ends his own connections first. */
function oldestOfLargest(pending: readonly PendingConnection[]): PendingConnection | undefined {
  const counts = new Map<string, number>()
  for (const { remote } of pending) {
    counts.set(remote.network, (counts.get(remote.network) ?? 0) + 1)
  }
  const largest = Math.max(...counts.values())
  return pending.find(({ remote }) => counts.get(remote.network) === largest)
}

function dropOldest(entries: Map<string, number>, max: number): void {
  if (entries.size <= max) return
  const [oldest] = entries.keys()
  if (oldest !== undefined) entries.delete(oldest)
}
