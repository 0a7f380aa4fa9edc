// Thousands of identities that nobody knows, all writing to one person.
import type { ProtocolError } from '@kith/protocols'
import { expect, it } from 'vitest'
import { DEFAULT_CONFIG } from '../../src/config/index.ts'
import { Device, randomEnvelope } from '../people.ts'
import { startWorld } from '../world.ts'
import { isFull } from './flood.ts'

const STRANGERS = isFull ? 10_000 : 400
/** Devices connected at once; each goes when it has written. */
const AT_ONCE = 20

it('fill no more than the quota of strangers, are told so, and hold up no contact', {
  timeout: 30_000 + STRANGERS * 20
}, async () => {
  const world = await startWorld()
  const [bob, carol] = [await world.join(), await world.join()]
  await bob.configure()
  let accepted = 0
  const refusals = new Map<string, number>()
  const write = async () => {
    const stranger = await Device.join(world.wire, world.relay.joinLink)
    const envelope = randomEnvelope()
    try {
      await stranger.append(envelope, bob.targetForStrangers)
      accepted += 1
    } catch (error) {
      const { code, detail } = error as ProtocolError
      refusals.set(`${code} ${detail}`, (refusals.get(`${code} ${detail}`) ?? 0) + 1)
    } finally {
      await stranger.stop()
    }
  }
  for (let written = 0; written < STRANGERS; written += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, write))
  }
  expect(accepted).toBe(DEFAULT_CONFIG.limits.strangerEntriesMax)
  expect([...refusals]).toEqual([['quota destination-1-stranger-quota', STRANGERS - accepted]])
  const message = randomEnvelope()
  await carol.append(message, bob.targetFor(message))
  const entries = await (await bob.subscribe()).until(accepted + 1)
  expect(entries).toHaveLength(accepted + 1)
  // Read and acknowledged: the next strangers may write again.
  const later = await world.join()
  const again = randomEnvelope()
  expect(await later.append(again, bob.targetForStrangers)).toBe(1)
})
