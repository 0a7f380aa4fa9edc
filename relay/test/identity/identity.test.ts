// Account logs: who gets in, what follows what, what is handed out.
import { nodePrimitives } from '@kith/node/kernel/host'
import { identity, parseRelayId } from '@kith/protocols'
import { describe, expect, it } from 'vitest'
import { INVITE } from '../people.ts'
import { nextOperation, refusal, startInvitedWorld, startWorld } from '../world.ts'

describe('identity', () => {
  it('lets in as many accounts as the invite allows', async () => {
    const { connect, relay } = await startInvitedWorld(2)
    for (let count = 0; count < 2; count++) await (await connect()).register()
    const late = await connect()
    await expect(late.register()).rejects.toMatchObject(refusal('invite'))
    expect(relay.status().accounts).toBe(2)
  })

  it('refuses an account without an invite or with an unknown one', async () => {
    const { connect } = await startInvitedWorld(1)
    const device = await connect()
    for (const invite of ['', 'another', 'x'.repeat(4_000)]) {
      await expect(device.register(invite)).rejects.toMatchObject(refusal('invite'))
    }
    expect(await device.register()).toBe(1)
  })

  it('uses an invite up once however often the same operation is sent', async () => {
    const { connect } = await startInvitedWorld(2)
    const device = await connect()
    const create = device.createOperation()
    const lengths = [device.register(INVITE, create), device.register(INVITE, create)]
    expect(await Promise.all(lengths)).toEqual([1, 1])
    expect(await (await connect()).register()).toBe(1)
    await expect((await connect()).register()).rejects.toMatchObject(refusal('invite'))
  })

  it('refuses an account that does not name this relay among its homes', async () => {
    const { connect } = await startWorld()
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
    const { join } = await startWorld()
    const device = await join()
    await expect(device.appendOperation(device.createOperation())).rejects.toMatchObject(
      refusal('conflict', 'device-of-another-account')
    )
  })

  it('takes one of two operations that follow the same one', async () => {
    const { join } = await startWorld()
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
    const { join, connect } = await startWorld()
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
    const { connect, join } = await startWorld({ limits: { accountsMax: 1 } })
    await join()
    await expect((await connect()).register()).rejects.toMatchObject(refusal('quota', 'accounts'))
  })
})
