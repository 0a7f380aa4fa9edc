// Devices and a relay with a store on disk: what was acknowledged is there after the relay has gone and come back.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '@kith/node/kernel'
import { nodePrimitives, openLevelStore } from '@kith/node/kernel/host'
import { parseRelayId, box as protocol, publicKeyOf } from '@kith/protocols'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Relay } from '../../src/relay.ts'
import { Device, hex, randomEnvelope, startRelay, tcpWire } from '../people.ts'

let folder: string
const stops: (() => Promise<unknown>)[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kith-relay-'))
})

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
  await rm(folder, { recursive: true, force: true })
})

async function start(listen?: string): Promise<Relay> {
  const store = await openLevelStore({ folder: join(folder, 'store'), log: silentLog })
  const relay = await startRelay({ store, wire: tcpWire(listen) })
  stops.push(() => relay.stop())
  return relay
}

const joinOne = (relay: Relay) => Device.join(tcpWire(), relay.joinLink)

async function joinTwo(relay: Relay): Promise<[Device, Device]> {
  const devices = await Promise.all([joinOne(relay), joinOne(relay)])
  stops.push(...devices.map((device) => () => device.stop()))
  await Promise.all(devices.map((device) => device.configure()))
  return devices
}

it('hands a message to a recipient who comes later, also after a restart', async () => {
  const relay = await start()
  const [alice, bob] = await joinTwo(relay)
  const envelopes = [1, 2, 3].map(() => randomEnvelope())
  const numbers = []
  for (const envelope of envelopes) {
    numbers.push(await alice.append(envelope, bob.targetFor(envelope)))
  }
  expect(numbers).toEqual([1, 2, 3])
  const address = relay.addresses[0]?.replace(/\/p2p\/.*$/, '')
  await relay.stop()
  const again = await start(address)
  const box = await bob.subscribe()
  const entries = await box.until(3)
  expect(entries.map((entry) => hex(entry.envelope))).toEqual(envelopes.map(hex))
  expect(again.status()).toMatchObject({ accounts: 2, boxes: 2, entries: 6 })
  expect(
    await alice.append(envelopes[0] as Uint8Array, bob.targetFor(envelopes[0] as Uint8Array))
  ).toBe(1)
})

it('pushes live, signs every head, and leaves out bodies that the device sent itself', async () => {
  const relay = await start()
  const [alice, bob] = await joinTwo(relay)
  const [own, theirs] = [await alice.subscribe(), await bob.subscribe()]
  const [atStart] = [await own.next(), await theirs.next()]
  expect(atStart.head?.head?.number).toBe(0)
  const envelope = randomEnvelope()
  await alice.append(envelope, bob.targetFor(envelope))
  const [mine, received] = [await own.next(), await theirs.next()]
  expect(mine.entries[0]?.envelope).toHaveLength(0)
  expect(hex(mine.entries[0]?.envelopeId)).toBe(hex(nodePrimitives.sha256(envelope)))
  expect(hex(received.entries[0]?.envelope)).toBe(hex(envelope))
  for (const item of [atStart, mine, received]) {
    const isSigned = protocol.verifySignedHead(
      item.head as protocol.SignedHead,
      publicKeyOf(parseRelayId(relay.id)),
      item.storeEpoch,
      nodePrimitives
    )
    expect(isSigned).toBe(true)
  }
})

it('goes on after the cursor of a device, and from the beginning for one of another store', async () => {
  const relay = await start()
  const [alice, bob] = await joinTwo(relay)
  for (let count = 0; count < 5; count++) {
    const envelope = randomEnvelope()
    await alice.append(envelope, bob.targetFor(envelope))
  }
  const first = await bob.subscribe()
  const { storeEpoch } = await first.next()
  first.close()
  const numbersAfter = async (cursor: Partial<protocol.SubscribeRequest>) => {
    const box = await bob.subscribe(cursor)
    const entries = await box.until(5)
    box.close()
    return entries.map((entry) => entry.number)
  }
  expect(await numbersAfter({ storeEpoch, after: 3 })).toEqual([4, 5])
  expect(await numbersAfter({ storeEpoch, after: 5 })).toEqual([])
  expect(await numbersAfter({ storeEpoch, after: 99 })).toEqual([1, 2, 3, 4, 5])
  const otherEpoch = storeEpoch.map((byte) => byte ^ 1)
  expect(await numbersAfter({ storeEpoch: otherEpoch, after: 3 })).toEqual([1, 2, 3, 4, 5])
})
