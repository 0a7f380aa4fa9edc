// What the relay answers, request by request, over connections in memory.
import { createLog, createMetrics, MemoryDisk, openMemoryStore } from '@kith/node/kernel'
import { nodePrimitives } from '@kith/node/kernel/host'
import {
  envelope as envelopes,
  identity,
  keyPackages,
  parseRelayId,
  box as protocol,
  publicKeyOf
} from '@kith/protocols'
import { afterEach, describe, expect, it } from 'vitest'
import type { Relay } from '../src/relay.ts'
import {
  addInvite,
  Device,
  hex,
  INVITE,
  memoryWire,
  type RelayOptions,
  randomEnvelope,
  startOnDisk,
  type Wire
} from './people.ts'

const stops: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

interface World {
  readonly relay: Relay
  readonly wire: Wire
  readonly disk: MemoryDisk
  join(): Promise<Device>
  connect(): Promise<Device>
}

async function world(options: Partial<RelayOptions> = {}, disk = new MemoryDisk()): Promise<World> {
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
    join: () => keep(Device.join(wire, relay.joinLink)),
    connect: () => keep(Device.connect(wire, relay.joinLink))
  }
}

async function invitedWorld(uses: number): Promise<World> {
  const disk = new MemoryDisk()
  const store = openMemoryStore(disk)
  await addInvite(store, uses)
  await store.close()
  return world({ registration: 'invite' }, disk)
}

const refusal = (code: string, detail?: string) =>
  detail === undefined ? { code } : { code, detail }

describe('identity', () => {
  it('lets in as many accounts as the invite allows', async () => {
    const { connect, relay } = await invitedWorld(2)
    for (let count = 0; count < 2; count++) await (await connect()).register()
    const late = await connect()
    await expect(late.register()).rejects.toMatchObject(refusal('invite'))
    expect(relay.status().accounts).toBe(2)
  })

  it('refuses an account without an invite or with an unknown one', async () => {
    const { connect } = await invitedWorld(1)
    const device = await connect()
    for (const invite of ['', 'another', 'x'.repeat(4_000)]) {
      await expect(device.register(invite)).rejects.toMatchObject(refusal('invite'))
    }
    expect(await device.register()).toBe(1)
  })

  it('uses an invite up once however often the same operation is sent', async () => {
    const { connect } = await invitedWorld(2)
    const device = await connect()
    const create = device.createOperation()
    const lengths = [device.register(INVITE, create), device.register(INVITE, create)]
    expect(await Promise.all(lengths)).toEqual([1, 1])
    expect(await (await connect()).register()).toBe(1)
    await expect((await connect()).register()).rejects.toMatchObject(refusal('invite'))
  })

  it('refuses an account that does not name this relay among its homes', async () => {
    const { connect } = await world()
    const device = await connect()
    const here = device.relay
    device.relay = { ...here, relay: parseRelayId((await connect()).network.id) }
    const create = device.createOperation()
    device.relay = here
    await expect(device.appendOperation(create)).rejects.toMatchObject(
      refusal('forbidden', 'relay-not-among-homes')
    )
  })

  it('refuses a device that belongs to another account here', async () => {
    const { join } = await world()
    const device = await join()
    await expect(device.appendOperation(device.createOperation())).rejects.toMatchObject(
      refusal('conflict', 'device-of-another-account')
    )
  })

  it('takes one of two operations that follow the same one', async () => {
    const { join } = await world()
    const device = await join()
    const [first, second] = [await nextOperation(device, 1), await nextOperation(device, 2)]
    const answers = await Promise.allSettled([
      device.appendOperation(first),
      device.appendOperation(second)
    ])
    expect(answers.map((answer) => answer.status)).toEqual(['fulfilled', 'rejected'])
    expect(answers[1]).toMatchObject({ reason: refusal('conflict', 'sequence-taken') })
    expect(await device.appendOperation(first)).toEqual({ length: 2 })
  })

  it('hands out a log from any operation on', async () => {
    const { join, connect } = await world()
    const device = await join()
    await device.appendOperation(await nextOperation(device, 1))
    const stranger = await connect()
    const fetch = (from: number, account = device.accountBytes) =>
      stranger.network.rpc.request(stranger.peer, identity.identityFetch, { account, from })
    const whole = await fetch(0)
    expect(whole.length).toBe(2)
    const state = identity.foldAccountLog(whole.operations, nodePrimitives)
    expect(state.account).toBe(device.account)
    expect((await fetch(1)).operations).toEqual(whole.operations.slice(1))
    expect(await fetch(2)).toEqual({ operations: [], length: 2 })
    await expect(fetch(0, new Uint8Array(32))).rejects.toMatchObject(refusal('not-found'))
    await expect(fetch(0, new Uint8Array(31))).rejects.toMatchObject(refusal('malformed'))
  })

  it('hosts no more accounts than the operator allows', async () => {
    const { connect, join } = await world({ limits: { accountsMax: 1 } })
    await join()
    await expect((await connect()).register()).rejects.toMatchObject(refusal('quota', 'accounts'))
  })
})

/** An operation after the create, different for each `variant`. */
async function nextOperation(device: Device, variant: number): Promise<identity.SignedOperation> {
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

describe('key packages', () => {
  const bytes = (value: number, length = 40) => new Uint8Array(length).fill(value)
  const publish = (device: Device, packages: Uint8Array[], lastResort = new Uint8Array(0)) =>
    device.network.rpc.request(device.peer, keyPackages.keyPackagesPublish, {
      packages,
      lastResort
    })
  const take = async (device: Device, account: Uint8Array) => {
    const request = { account }
    const { packages } = await device.network.rpc.request(
      device.peer,
      keyPackages.keyPackagesTake,
      request
    )
    return packages.map(({ keyPackage, lastResort }) => [keyPackage[0], lastResort])
  }

  it('are handed out once, oldest first, then the last-resort one again and again', async () => {
    const { join } = await world()
    const [alice, bob] = [await join(), await join()]
    expect(await publish(alice, [bytes(1), bytes(2)], bytes(9))).toEqual({ available: 2 })
    const taken = []
    for (let count = 0; count < 4; count++) taken.push(...(await take(bob, alice.accountBytes)))
    expect(taken).toEqual([
      [1, false],
      [2, false],
      [9, true],
      [9, true]
    ])
    expect(await publish(alice, [])).toEqual({ available: 0 })
  })

  it('go to one of two who take at the same time', async () => {
    const { join } = await world()
    const [alice, bob, carol] = [await join(), await join(), await join()]
    await publish(alice, [bytes(1), bytes(2)])
    const both = await Promise.all([take(bob, alice.accountBytes), take(carol, alice.accountBytes)])
    expect(both.flat().sort()).toEqual([
      [1, false],
      [2, false]
    ])
    expect(await take(bob, alice.accountBytes)).toEqual([])
  })

  it('are gone from the disk before they are handed out', async () => {
    const { join, disk, relay, wire } = await world()
    const [alice, bob] = [await join(), await join()]
    await publish(alice, [bytes(1)])
    expect(await take(bob, alice.accountBytes)).toEqual([[1, false]])
    disk.crash()
    await relay.stop().catch(() => undefined)
    const again = await startOnDisk(disk, { wire })
    stops.push(() => again.stop())
    bob.meet(again)
    expect(await take(bob, alice.accountBytes)).toEqual([])
  })

  it('of one account are not drained by one device', async () => {
    const { join } = await world()
    const [alice, bob, carol] = [await join(), await join(), await join()]
    await publish(
      alice,
      Array.from({ length: 20 }, (_, index) => bytes(index + 1)),
      bytes(99)
    )
    const taken = []
    for (let count = 0; count < 12; count++) taken.push(...(await take(bob, alice.accountBytes)))
    expect(taken.filter(([, isLastResort]) => isLastResort === false)).toHaveLength(10)
    expect(await take(carol, alice.accountBytes)).toEqual([[11, false]])
  })

  it('are refused when too many, too large, empty or from nobody', async () => {
    const { join, connect } = await world()
    const device = await join()
    const many = Array.from({ length: 64 }, () => bytes(1))
    await publish(device, many)
    await expect(publish(device, [bytes(1)])).rejects.toMatchObject(refusal('quota'))
    const tooLarge = publish(device, [bytes(1, keyPackages.KEY_PACKAGE_BYTES_MAX + 1)])
    await expect(tooLarge).rejects.toMatchObject(refusal('too-large'))
    await expect(publish(device, [new Uint8Array(0)])).rejects.toMatchObject(refusal('malformed'))
    await expect(publish(await connect(), [])).rejects.toMatchObject(refusal('forbidden'))
    await expect(take(device, new Uint8Array(32))).rejects.toMatchObject(refusal('not-found'))
  })
})

describe('boxes', () => {
  it('refuse what is no envelope', async () => {
    const { join } = await world()
    const device = await join()
    const good = envelopes.Envelope.decode(randomEnvelope())
    const bad = [
      new Uint8Array(0),
      Uint8Array.of(255, 255, 255),
      envelopes.Envelope.encode({ ...good, version: 2 }),
      envelopes.Envelope.encode({ ...good, epochTag: new Uint8Array(15) }),
      envelopes.Envelope.encode({ ...good, salt: new Uint8Array(17) }),
      envelopes.Envelope.encode({ ...good, commitment: new Uint8Array(0) }),
      envelopes.Envelope.encode({ ...good, sealedContent: new Uint8Array(0) })
    ]
    for (const envelope of bad) {
      await expect(device.append(envelope)).rejects.toMatchObject(refusal('malformed'))
    }
    const large = randomEnvelope(envelopes.ENVELOPE_BYTES_MAX)
    await expect(device.append(large)).rejects.toMatchObject(refusal('too-large'))
  })

  it('say which target is not here, and store nothing', async () => {
    const { join, relay } = await world()
    const [alice, bob] = [await join(), await join()]
    const unknown = { account: new Uint8Array(32), deliveryToken: new Uint8Array(0) }
    const envelope = randomEnvelope()
    await expect(alice.append(envelope, bob.targetForStrangers, unknown)).rejects.toMatchObject(
      refusal('not-found', 'target-1')
    )
    expect(relay.status().entries).toBe(0)
  })

  it('are closed to devices of no account here', async () => {
    const { connect } = await world()
    const device = await connect()
    const forbidden = refusal('forbidden', 'device-of-no-account-here')
    await expect(device.append(randomEnvelope())).rejects.toMatchObject(forbidden)
    await expect(device.configure()).rejects.toMatchObject(forbidden)
    const box = await device.subscribe()
    await expect(box.next()).rejects.toMatchObject(forbidden)
  })

  it('take little from strangers until the recipient has seen it, and anything from contacts', async () => {
    const { join } = await world({ limits: { strangerEntriesMax: 2 } })
    const [alice, bob] = [await join(), await join()]
    await bob.configure()
    const send = (target: (envelope: Uint8Array) => protocol.Target) => {
      const envelope = randomEnvelope()
      return alice.append(envelope, target(envelope))
    }
    const asStranger = () => send(() => bob.targetForStrangers)
    const withWrongToken = () => send(() => bob.targetFor(randomEnvelope()))
    const asContact = () => send((envelope) => bob.targetFor(envelope))
    await asStranger()
    await withWrongToken()
    const full = refusal('quota', 'destination-1-stranger-quota')
    await expect(asStranger()).rejects.toMatchObject(full)
    await expect(withWrongToken()).rejects.toMatchObject(full)
    expect(await asContact()).toBe(3)
    const box = await bob.subscribe()
    await box.until(3)
    await expect
      .poll(() =>
        asStranger().then(
          () => true,
          () => false
        )
      )
      .toBe(true)
  })

  it('take nothing from an account that the owner blocked, and do not tell it', async () => {
    const { join, relay, disk, wire } = await world()
    const [alice, bob] = [await join(), await join()]
    await bob.configure([alice.accountBytes])
    const envelope = randomEnvelope()
    expect(await alice.append(envelope, bob.targetFor(envelope))).toBe(1)
    expect(relay.status().entries).toBe(1)
    await relay.stop()
    const again = await startOnDisk(disk, { wire })
    stops.push(() => again.stop())
    for (const device of [alice, bob]) device.meet(again)
    await alice.append(randomEnvelope(), bob.targetForStrangers)
    expect(again.status().entries).toBe(2)
    await bob.configure([])
    expect(await alice.append(envelope, bob.targetFor(envelope))).toBe(1)
    expect(again.status().entries).toBe(3)
  })

  it('give the same number to an envelope that is sent again', async () => {
    const { join } = await world()
    const [alice, bob] = [await join(), await join()]
    const envelope = randomEnvelope()
    const send = () => alice.append(envelope, bob.targetForStrangers)
    expect(await Promise.all([send(), send(), send()])).toEqual([1, 1, 1])
    const box = await bob.subscribe()
    expect((await box.until(1)).map((entry) => hex(entry.envelope))).toEqual([hex(envelope)])
  })

  it('count a target that is named twice, or is the sender, once', async () => {
    const { join, relay } = await world()
    const [alice, bob] = [await join(), await join()]
    const targets = [bob.targetForStrangers, bob.targetForStrangers, alice.targetForStrangers]
    expect(await alice.append(randomEnvelope(), ...targets)).toBe(1)
    expect(relay.status().entries).toBe(2)
  })

  it('end the older of two subscriptions of one device', async () => {
    const { join } = await world()
    const device = await join()
    const first = await device.subscribe()
    await first.next()
    const second = await device.subscribe()
    await second.next()
    await expect(first.next()).rejects.toMatchObject(refusal('conflict', 'subscribed-again'))
    await device.append(randomEnvelope())
    expect((await second.next()).entries).toHaveLength(1)
  })

  it('push large entries in items that stay within the limit', async () => {
    const { join } = await world()
    const [alice, bob] = [await join(), await join()]
    await bob.configure()
    for (let count = 0; count < 12; count++) {
      const envelope = randomEnvelope(60_000)
      await alice.append(envelope, bob.targetFor(envelope))
    }
    const box = await bob.subscribe()
    const sizes = []
    for (let last = 0; last < 12; ) {
      const item = await box.next()
      sizes.push(item.entries.reduce((sum, entry) => sum + entry.envelope.byteLength, 0))
      last = item.entries.at(-1)?.number ?? last
      box.subscription.acknowledge({ storeEpoch: item.storeEpoch, number: last })
    }
    expect(sizes.length).toBeGreaterThan(1)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(256 * 1_024)
  })
})

describe('slots', () => {
  const tag = (value: number) => new Uint8Array(envelopes.SLOT_TAG_BYTES).fill(value)
  const slot = (value: number, version: number, length = 10) => ({
    tag: tag(value),
    version,
    sealed: new Uint8Array(length).fill(version)
  })
  const put = (device: Device, value: protocol.Slot, ...targets: protocol.Target[]) =>
    device.network.rpc.request(device.peer, protocol.boxPutSlot, { slot: value, targets })
  const slotsOf = (item: protocol.SubscribeItem) =>
    item.slots.map((one) => [one.tag[0], one.version])

  it('come at the start of a subscription, then when they change, the highest version only', async () => {
    const { join } = await world()
    const [alice, bob] = [await join(), await join()]
    await put(alice, slot(1, 5), bob.targetForStrangers)
    await put(alice, slot(1, 4), bob.targetForStrangers)
    const box = await bob.subscribe()
    expect(slotsOf(await box.next())).toEqual([[1, 5]])
    await put(alice, slot(1, 5), bob.targetForStrangers)
    await put(alice, slot(1, 6), bob.targetForStrangers)
    expect(slotsOf(await box.next())).toEqual([[1, 6]])
  })

  it('share items with entries, however large both are', async () => {
    const { join } = await world()
    const [alice, bob] = [await join(), await join()]
    await bob.configure()
    for (let count = 0; count < 20; count++) {
      const large = slot(count, 1, envelopes.SLOT_BYTES_MAX)
      await put(alice, large, bob.targetForStrangers)
      const envelope = randomEnvelope(65_200)
      await alice.append(envelope, bob.targetFor(envelope))
    }
    const box = await bob.subscribe()
    const seen = { slots: 0, entries: 0 }
    while (seen.slots < 20 || seen.entries < 20) {
      const item = await box.next()
      seen.slots += item.slots.length
      seen.entries += item.entries.length
      box.subscription.acknowledge({ storeEpoch: item.storeEpoch, number: seen.entries })
    }
    expect(seen).toEqual({ slots: 20, entries: 20 })
  })

  it('are there after a restart', async () => {
    const { join, relay, disk, wire } = await world()
    const device = await join()
    await put(device, slot(3, 7))
    await relay.stop()
    const again = await startOnDisk(disk, { wire })
    stops.push(() => again.stop())
    device.meet(again)
    const box = await device.subscribe()
    expect(slotsOf(await box.next())).toEqual([[3, 7]])
  })

  it('are refused when malformed, too large or from nobody', async () => {
    const { join, connect } = await world()
    const device = await join()
    const short = { ...slot(1, 1), tag: new Uint8Array(3) }
    await expect(put(device, short)).rejects.toMatchObject(refusal('malformed'))
    const large = slot(1, 1, envelopes.SLOT_BYTES_MAX + 1)
    await expect(put(device, large)).rejects.toMatchObject(refusal('too-large'))
    await expect(put(await connect(), slot(1, 1))).rejects.toMatchObject(refusal('forbidden'))
  })
})

describe('logs and metrics', () => {
  it('name no account, device, address or envelope, and count what happened', async () => {
    const lines: string[] = []
    const log = createLog({ level: 'info', now: () => 0, write: (line) => lines.push(line) })
    const metrics = createMetrics()
    const { join, relay, wire, disk } = await world({ log, metrics })
    const [alice, bob] = [await join(), await join()]
    await bob.configure()
    const envelope = randomEnvelope()
    await alice.append(envelope, bob.targetFor(envelope))
    const box = await bob.subscribe({ storeEpoch: new Uint8Array(16), after: 9 })
    await box.until(1)
    await alice.appendOperation(await nextOperation(alice, 1))
    await relay.stop()
    const again = await startOnDisk(disk, { wire, log, metrics })
    stops.push(() => again.stop())
    const text = `${lines.join('\n')}\n${metrics.exposition()}`
    expect(text).toContain('account created')
    expect(text).toContain('kith_relay_appends_total 1')
    const ids = [alice, bob].flatMap(({ account, network }) => [account ?? '', network.id])
    const texts = [
      ...ids,
      ...ids.map((id) => id.slice(-12)),
      '/memory/',
      hex(envelope).slice(0, 20)
    ]
    for (const id of [nodePrimitives.sha256(envelope), alice.accountBytes, alice.keys.publicKey]) {
      texts.push(hex(id).slice(0, 20))
    }
    for (const secret of texts) expect(text).not.toContain(secret)
  })
})

describe('a relay whose store fails', () => {
  it('is no failure when it stops while requests are running', async () => {
    const { join, relay } = await world()
    const device = await join()
    const appends = Array.from({ length: 50 }, () => device.append(randomEnvelope()))
    const stopped = relay.stop()
    await Promise.allSettled(appends)
    await stopped
    const failed = relay.failed.then(
      () => 'never',
      () => 'failed'
    )
    expect(await Promise.race([failed, Promise.resolve('stopped')])).toBe('stopped')
  })

  it('acknowledges nothing more and says so', async () => {
    const { join, relay, disk } = await world()
    const device = await join()
    disk.failAt(disk.operations + 1)
    await expect(device.append(randomEnvelope())).rejects.toMatchObject({ name: 'ProtocolError' })
    await expect(relay.failed).rejects.toMatchObject({ code: 'failed' })
  })
})
