// What the box service answers, request by request.
import { envelope as envelopes, type box as protocol } from '@kith/protocols'
import { describe, expect, it } from 'vitest'
import { hex, randomEnvelope } from '../people.ts'
import { refusal, startWorld } from '../world.ts'

describe('boxes', () => {
  it('refuse what is no envelope', async () => {
    const { join } = await startWorld()
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
    const { join, relay } = await startWorld()
    const [alice, bob] = [await join(), await join()]
    const unknown = { account: new Uint8Array(32), deliveryToken: new Uint8Array(0) }
    const envelope = randomEnvelope()
    await expect(alice.append(envelope, bob.targetForStrangers, unknown)).rejects.toMatchObject(
      refusal('not-found', 'target-1')
    )
    expect(relay.status().entries).toBe(0)
  })

  it('are closed to devices of no account here', async () => {
    const { connect } = await startWorld()
    const device = await connect()
    const forbidden = refusal('forbidden', 'device-of-no-account-here')
    await expect(device.append(randomEnvelope())).rejects.toMatchObject(forbidden)
    await expect(device.configure()).rejects.toMatchObject(forbidden)
    const box = await device.subscribe()
    await expect(box.next()).rejects.toMatchObject(forbidden)
  })

  it('take little from strangers until the recipient has seen it, and anything from contacts', async () => {
    const { join } = await startWorld({ limits: { strangerEntriesMax: 2 } })
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

  it('take nothing from an account that the owner blocked, token or not, restarted or not', async () => {
    const { join, relay, startAgain } = await startWorld()
    const [alice, bob] = [await join(), await join()]
    const before = randomEnvelope()
    await alice.append(before, bob.targetForStrangers)
    await bob.configure([alice.accountBytes])
    const envelope = randomEnvelope()
    const asContact = () => alice.append(envelope, bob.targetFor(envelope))
    const asStranger = () => alice.append(envelope, bob.targetForStrangers)
    const full = refusal('quota', 'destination-1-stranger-quota')
    await expect(asContact()).rejects.toMatchObject(full)
    await expect(asStranger()).rejects.toMatchObject(full)
    // As with a full box: what is there already is there.
    expect(await alice.append(before, bob.targetForStrangers)).toBe(1)
    await relay.stop()
    const again = await startAgain()
    for (const device of [alice, bob]) device.meet(again)
    await expect(asContact()).rejects.toMatchObject(full)
    expect(again.status().entries).toBe(2)
    await bob.configure([])
    expect(await asContact()).toBe(2)
    expect(again.status().entries).toBe(4)
  })

  it('answer a blocked account exactly as a stranger for whom there is no room', async () => {
    const { join } = await startWorld({ limits: { eachStrangerEntriesMax: 1 } })
    const [alice, bob, carol] = [await join(), await join(), await join()]
    await bob.configure([alice.accountBytes])
    await carol.append(randomEnvelope(), bob.targetForStrangers)
    const answers = [alice, carol].map((device) =>
      device.append(randomEnvelope(), bob.targetForStrangers).then(
        () => 'taken',
        ({ code, detail, retryAfterMs }) => ({ code, detail, retryAfterMs })
      )
    )
    const [ofBlocked, ofStranger] = await Promise.all(answers)
    expect(ofBlocked).toEqual(ofStranger)
    expect(ofBlocked).toMatchObject({ code: 'quota' })
  })

  it('have room for other strangers when one has used up his', async () => {
    const { join } = await startWorld()
    const [alice, bob, carol] = [await join(), await join(), await join()]
    for (let count = 0; count < 20; count++) {
      await alice.append(randomEnvelope(), bob.targetForStrangers)
    }
    const full = refusal('quota', 'destination-1-stranger-quota')
    await expect(alice.append(randomEnvelope(), bob.targetForStrangers)).rejects.toMatchObject(full)
    await carol.append(randomEnvelope(63_000), bob.targetForStrangers)
    await expect(carol.append(randomEnvelope(3_000), bob.targetForStrangers)).rejects.toMatchObject(
      full
    )
    await carol.append(randomEnvelope(200), bob.targetForStrangers)
    await alice.append(randomEnvelope(), carol.targetForStrangers)
  })

  it('give the same number to an envelope that is sent again', async () => {
    const { join } = await startWorld()
    const [alice, bob] = [await join(), await join()]
    const envelope = randomEnvelope()
    const send = () => alice.append(envelope, bob.targetForStrangers)
    expect(await Promise.all([send(), send(), send()])).toEqual([1, 1, 1])
    const box = await bob.subscribe()
    expect((await box.until(1)).map((entry) => hex(entry.envelope))).toEqual([hex(envelope)])
  })

  it('count a target that is named twice, or is the sender, once', async () => {
    const { join, relay } = await startWorld()
    const [alice, bob] = [await join(), await join()]
    const targets = [bob.targetForStrangers, bob.targetForStrangers, alice.targetForStrangers]
    expect(await alice.append(randomEnvelope(), ...targets)).toBe(1)
    expect(relay.status().entries).toBe(2)
  })

  it('end the older of two subscriptions of one device', async () => {
    const { join } = await startWorld()
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
    const { join } = await startWorld()
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
