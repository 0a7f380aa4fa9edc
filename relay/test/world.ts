// One relay over connections in memory, and devices that join it; everything is stopped after each test.
import { MemoryDisk, openMemoryStore } from '@kith/node/kernel'
import { nodePrimitives } from '@kith/node/kernel/host'
import { identity, publicKeyOf } from '@kith/protocols'
import { afterEach } from 'vitest'
import type { Relay } from '../src/relay.ts'
import {
  addInvite,
  Device,
  memoryWire,
  type RelayOptions,
  startOnDisk,
  type Wire
} from './people.ts'

const stops: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

/** A relay and how to get devices onto it. */
export interface World {
  readonly relay: Relay
  readonly wire: Wire
  readonly disk: MemoryDisk
  /** The relay of the same disk, after the first has stopped or crashed. */
  startAgain(): Promise<Relay>
  join(): Promise<Device>
  connect(): Promise<Device>
}

/** Starts one. */
export async function startWorld(
  options: Partial<RelayOptions> = {},
  disk = new MemoryDisk()
): Promise<World> {
  const wire = options.wire ?? memoryWire()
  const relay = await startOnDisk(disk, { ...options, wire })
  stops.push(() => relay.stop())
  const keep = async (made: Promise<Device>) => {
    const device = await made
    stops.push(() => device.stop())
    return device
  }
  return {
    relay,
    wire,
    disk,
    async startAgain() {
      const again = await startOnDisk(disk, { ...options, wire })
      stops.push(() => again.stop())
      return again
    },
    join: () => keep(Device.join(wire, relay.joinLink)),
    connect: () => keep(Device.connect(wire, relay.joinLink))
  }
}

/** One whose relay wants an invite, which lets in `uses` accounts. */
export async function startInvitedWorld(uses: number): Promise<World> {
  const disk = new MemoryDisk()
  const store = openMemoryStore(disk)
  await addInvite(store, uses)
  await store.close()
  return startWorld({ registration: 'invite' }, disk)
}

/** What a ProtocolError must match. */
export const refusal = (code: string, detail?: string) =>
  detail === undefined ? { code } : { code, detail }

/** An operation after the create, different for each `variant`. */
export async function nextOperation(
  device: Device,
  variant: number
): Promise<identity.SignedOperation> {
  const { peer, accountBytes: account, network } = device
  const log = await network.rpc.request(peer, identity.identityFetch, { account, from: 0 })
  const state = identity.foldAccountLog(log.operations, nodePrimitives)
  const homes = state.homes.map((home) => ({
    relay: publicKeyOf(home.relay),
    addresses: [...home.addresses]
  }))
  return device.sign(
    identity.Operation.encode({
      version: identity.OPERATION_VERSION,
      account,
      sequence: state.length,
      previous: state.head,
      createdAtMs: variant,
      setHomes: { homes }
    })
  )
}
