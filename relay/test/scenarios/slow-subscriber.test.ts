// A subscriber that takes nothing costs the relay one item, others nothing, and loses nothing.
import { MemoryDisk } from '@kith/node/kernel'
import { box as protocol } from '@kith/protocols'
import { expect, it } from 'vitest'
import { Device, hex, memoryWire, randomEnvelope, startOnDisk } from '../people.ts'

const COUNT = 80
/** With COUNT entries, twice the credit of a subscription. */
const CONTENT_BYTES = 52_000

it('a subscriber that stops reading holds up nobody and resumes without a gap', async () => {
  const wire = memoryWire()
  const relay = await startOnDisk(new MemoryDisk(), { wire })
  const [alice, bob, carol] = (await Promise.all(
    [1, 2, 3].map(() => Device.join(wire, relay.joinLink))
  )) as [Device, Device, Device]
  try {
    await Promise.all([bob.configure(), carol.configure()])
    const [slow, quick] = [await bob.subscribe(), await carol.subscribe()]
    await slow.next()
    const envelopes = Array.from({ length: COUNT }, () => randomEnvelope(CONTENT_BYTES))
    const everything = envelopes.reduce((sum, envelope) => sum + envelope.byteLength, 0)
    expect(everything).toBeGreaterThan(1.9 * protocol.boxSubscribe.limits.creditBytes)
    const received = quick.until(COUNT)
    for (const envelope of envelopes) {
      await alice.append(envelope, bob.targetFor(envelope), carol.targetFor(envelope))
    }
    expect((await received).map(({ envelope }) => hex(envelope))).toEqual(envelopes.map(hex))
    const entries = await slow.until(COUNT)
    expect(entries.map((entry) => entry.number)).toEqual(envelopes.map((_, index) => index + 1))
    expect(entries.map(({ envelope }) => hex(envelope))).toEqual(envelopes.map(hex))
  } finally {
    await Promise.all([alice, bob, carol].map((device) => device.stop()))
    await relay.stop()
  }
})
