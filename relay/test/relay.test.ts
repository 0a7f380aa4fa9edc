// The relay as a whole: what it logs, how it stops, what it does when its store fails.
import { createLog, createMetrics } from '@kith/node/kernel'
import { nodePrimitives } from '@kith/node/kernel/host'
import { describe, expect, it } from 'vitest'
import { hex, randomEnvelope } from './people.ts'
import { nextOperation, startWorld } from './world.ts'

describe('logs and metrics', () => {
  it('name no account, device, address or envelope, and count what happened', async () => {
    const lines: string[] = []
    const log = createLog({ level: 'info', now: () => 0, write: (line) => lines.push(line) })
    const metrics = createMetrics()
    const { join, relay, startAgain } = await startWorld({ log, metrics })
    const [alice, bob] = [await join(), await join()]
    await bob.configure()
    const envelope = randomEnvelope()
    await alice.append(envelope, bob.targetFor(envelope))
    const box = await bob.subscribe({ storeEpoch: new Uint8Array(16), after: 9 })
    await box.until(1)
    await alice.appendOperation(await nextOperation(alice, 1))
    await relay.stop()
    await startAgain()
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
    const { join, relay } = await startWorld()
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
    const { join, relay, disk } = await startWorld()
    const device = await join()
    disk.failAt(disk.operations + 1)
    await expect(device.append(randomEnvelope())).rejects.toMatchObject({ name: 'ProtocolError' })
    await expect(relay.failed).rejects.toMatchObject({ code: 'failed' })
  })
})
