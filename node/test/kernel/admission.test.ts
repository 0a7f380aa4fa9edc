// Who may connect when many want to.
import { type DeviceId, deviceIdOf } from '@kith/protocols'
import { beforeEach, describe, expect, it } from 'vitest'
import { Admission, type AdmissionLimits } from '../../src/kernel/admission.ts'
import { createMetrics } from '../../src/kernel/index.ts'
import { remoteHostOf } from '../../src/kernel/remote-host.ts'
import { FakeClock } from '../../src/testing/index.ts'

const LIMITS: AdmissionLimits = {
  pendingMax: 20,
  pendingReserved: 5,
  pendingPerNetworkMax: 10,
  connectsPerHost: { count: 8, windowMs: 1_000 },
  handshakesPerHost: { count: 6, windowMs: 1_000 },
  handshakes: { count: 12, windowMs: 1_000 },
  connectionsMax: 10,
  strangersMax: 6,
  strangersPerNetworkMax: 4,
  unusedMs: 30_000
}

const at = (address: string) => remoteHostOf(`/ip4/${address}/tcp/1`)
const peerOf = (index: number): DeviceId => deviceIdOf(new Uint8Array(32).fill(index))

let clock: FakeClock
let known: Set<DeviceId>
let admission: Admission
let metrics: ReturnType<typeof createMetrics>

beforeEach(() => {
  clock = new FakeClock()
  known = new Set()
  metrics = createMetrics()
  admission = new Admission({
    limits: LIMITS,
    clock,
    metrics,
    isKnown: (peer) => known.has(peer)
  })
})

/** A connection, and whether it was ended. */
function connect(address: string, peer: number) {
  const one = { ended: false }
  admission.opened(one, {
    remote: at(address),
    peer: peerOf(peer),
    abort: () => {
      one.ended = true
    }
  })
  return one
}

/** A handshake in progress; undefined when refused. */
function begin(address: string) {
  const one = { ended: false }
  const pending = admission.begin(at(address), () => {
    one.ended = true
  })
  return pending === undefined ? undefined : Object.assign(one, { pending })
}

describe('handshakes', () => {
  it('of a flood end earlier ones of the flood, and leave those of other networks time', () => {
    const honest = begin('198.51.100.1')
    for (let index = 0; index < 200; index += 1) begin(`203.0.113.${index}`)
    for (let index = 0; index < 200; index += 1) begin(`203.0.112.${index}`)
    expect(honest?.ended).toBe(false)
    expect(admission.pending).toBeLessThanOrEqual(LIMITS.pendingMax - LIMITS.pendingReserved)
  })

  it('from everywhere at once leave room for hosts of known peers', () => {
    known.add(peerOf(1))
    admission.closed(connect('198.51.100.1', 1))
    for (let index = 0; index < 250; index += 1) begin(`203.${index}.0.1`)
    const returning = begin('198.51.100.1')
    for (let index = 0; index < 250; index += 1) begin(`204.${index}.0.1`)
    expect(returning?.ended).toBe(false)
    expect(returning?.pending.isFamiliar).toBe(true)
    expect(admission.pending).toBeLessThanOrEqual(LIMITS.pendingMax)
  })

  it('of one host are refused beyond its rate, and taken again later', async () => {
    const taken = Array.from({ length: 20 }, () => begin('203.0.113.7')).filter(Boolean)
    expect(taken).toHaveLength(LIMITS.connectsPerHost.count)
    await clock.advance(LIMITS.connectsPerHost.windowMs)
    expect(begin('203.0.113.7')).toBeDefined()
    expect(metrics.exposition()).toContain('kith_connections_refused_total{reason="rate"} 12')
  })

  it('cost computation only up to a rate, of a host and of all strangers together', () => {
    const pass = (address: string, count: number) =>
      Array.from({ length: count }, () => begin(address)?.pending).filter(
        (pending) => pending !== undefined && admission.mayHandshake(pending)
      ).length
    expect(pass('203.0.113.7', 8)).toBe(6)
    expect(pass('203.0.112.7', 8)).toBe(6)
    expect(pass('203.0.111.7', 8)).toBe(0)
    known.add(peerOf(1))
    admission.closed(connect('198.51.100.1', 1))
    expect(pass('198.51.100.1', 8)).toBe(6)
  })

  it('through a proxy on the same machine are limited only all together', () => {
    const taken = Array.from({ length: 50 }, () => begin('127.0.0.1')).filter(Boolean)
    expect(taken).toHaveLength(50)
    expect(admission.pending).toBe(LIMITS.pendingMax - LIMITS.pendingReserved)
  })

  it('of a host that broke the rules are refused for half a minute', async () => {
    admission.penalise(at('203.0.113.7'))
    expect(begin('203.0.113.7')).toBeUndefined()
    expect(begin('203.0.113.8')).toBeDefined()
    await clock.advance(30_000)
    expect(begin('203.0.113.7')).toBeDefined()
  })

  it('are forgotten once over', () => {
    const one = begin('203.0.113.7')
    if (one !== undefined) admission.end(one.pending)
    expect(admission.pending).toBe(0)
  })
})

describe('connections', () => {
  it('of known peers stay whatever strangers do', () => {
    for (let index = 1; index <= 8; index += 1) known.add(peerOf(index))
    const friends = Array.from({ length: 8 }, (_, index) => connect(`10.0.${index}.1`, index + 1))
    for (let index = 0; index < 100; index += 1) connect(`203.${index}.0.1`, 100 + index)
    expect(friends.map(({ ended }) => ended)).toEqual(new Array(8).fill(false))
    expect(admission.admitted).toBe(LIMITS.connectionsMax)
  })

  it('of strangers make room for known peers, the oldest first', () => {
    const strangers = Array.from({ length: 6 }, (_, index) =>
      connect(`203.${index}.0.1`, 100 + index)
    )
    for (let index = 1; index <= 6; index += 1) known.add(peerOf(index))
    const friends = Array.from({ length: 6 }, (_, index) => connect(`10.0.${index}.1`, index + 1))
    expect(strangers.map(({ ended }) => ended)).toEqual([true, true, false, false, false, false])
    expect(friends.some(({ ended }) => ended)).toBe(false)
  })

  it('of a stranger who has registered meanwhile stay', () => {
    const newcomer = connect('203.0.113.7', 1)
    known.add(peerOf(1))
    const others = Array.from({ length: 20 }, (_, index) =>
      connect(`203.${index}.0.1`, 100 + index)
    )
    expect(newcomer.ended).toBe(false)
    expect(others.filter(({ ended }) => !ended)).toHaveLength(LIMITS.strangersMax)
  })

  it('of one network leave strangers of others alone', () => {
    const other = connect('198.51.100.1', 1)
    for (let index = 0; index < 50; index += 1) connect(`203.0.113.${index}`, 100 + index)
    expect(other.ended).toBe(false)
    expect(admission.admitted).toBe(1 + LIMITS.strangersPerNetworkMax)
  })

  it('are refused to known peers when known peers fill the relay', () => {
    for (let index = 1; index <= 11; index += 1) known.add(peerOf(index))
    const friends = Array.from({ length: 11 }, (_, index) => connect(`10.0.${index}.1`, index + 1))
    expect(friends.map(({ ended }) => ended)).toEqual([...new Array(10).fill(false), true])
  })

  it('that open no stream are ended', async () => {
    const [silent, used] = [connect('203.0.113.7', 1), connect('203.0.113.8', 2)]
    admission.used(used)
    await clock.advance(LIMITS.unusedMs + 11_000)
    expect([silent.ended, used.ended]).toEqual([true, false])
    admission.closed(used)
    expect(admission.admitted).toBe(0)
  })
})
