// Floods for tests: processes that connect, proxies that give a connection another loopback address, and what
// honest clients notice of it.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { type Device, randomEnvelope } from '../people.ts'

/** `KITH_FLOOD=full` runs the floods at the length of the bars. */
export const isFull = process.env.KITH_FLOOD === 'full'

const ATTACKER = fileURLToPath(new URL('./attacker.ts', import.meta.url))

export interface Flood {
  readonly perSecond: number
  readonly seconds: number
  /** Loopback addresses it comes from. */
  readonly hosts: number
}

/** Floods the port from another process; resolves to what it did. */
export async function flood(
  port: number,
  { perSecond, seconds, hosts }: Flood
): Promise<{ started: number; opened: number; refused: number }> {
  const child = fork(ATTACKER, [port, perSecond, seconds, hosts].map(String))
  try {
    const [report] = await once(child, 'message')
    return report
  } finally {
    child.kill()
  }
}

/** The TCP port of a multiaddr. */
export function portOf(addresses: readonly string[]): number {
  return Number(/\/tcp\/(\d+)/.exec(addresses[0] ?? '')?.[1])
}

export interface Proxy {
  /** Where to dial in place of the relay. */
  readonly address: string
  /** From now on passes one byte a second on from the port, until the returned function is called. */
  drip(): () => void
  stop(): void
}

/** Passes connections on to a port on loopback; there they come from `localAddress`. */
export async function startProxy(port: number, localAddress: string): Promise<Proxy> {
  const sockets = new Set<Socket>()
  const pairs = new Map<Socket, Socket>()
  const server = createServer((near) => {
    const far = connect({ port, host: '127.0.0.1', localAddress })
    near.pipe(far)
    far.pipe(near)
    pairs.set(far, near)
    far.on('close', () => pairs.delete(far))
    for (const [one, other] of [
      [near, far],
      [far, near]
    ] as const) {
      sockets.add(one)
      one.on('error', () => {})
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}`,
    drip() {
      for (const far of pairs.keys()) far.unpipe().pause()
      const timer = setInterval(() => {
        for (const [far, near] of pairs) near.write(far.read(1) ?? Buffer.alloc(0))
      }, 1_000)
      return () => {
        clearInterval(timer)
        for (const [far, near] of pairs) far.pipe(near)
      }
    },
    stop() {
      server.close()
      for (const socket of sockets) socket.destroy()
    }
  }
}

export interface Honest {
  /** Milliseconds of each append, ascending. */
  readonly latencies: number[]
  readonly failures: unknown[]
}

/** Each device appends to its own box, one after the other, until told to stop. */
export function keepAppending(devices: readonly Device[]): { stop(): Promise<Honest> } {
  const latencies: number[] = []
  const failures: unknown[] = []
  let isStopped = false
  const loops = devices.map(async (device) => {
    while (!isStopped) {
      const startedAt = performance.now()
      try {
        await device.append(randomEnvelope())
        latencies.push(performance.now() - startedAt)
      } catch (error) {
        failures.push(error)
      }
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  })
  return {
    async stop() {
      isStopped = true
      await Promise.all(loops)
      return { latencies: latencies.sort((a, b) => a - b), failures }
    }
  }
}

/** The value below which a share of ascending numbers lies. */
export function quantile(ascending: readonly number[], share: number): number {
  return ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))] ?? NaN
}
