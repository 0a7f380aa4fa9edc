// Somebody who was not added writes: what the user sees, what the stranger learns, and what accepting, ignoring and
// blocking change.
import type { Rpc } from '@kith/node/kernel'
import { nodePrimitives as primitives } from '@kith/node/kernel/host'
import { idBytes, identity } from '@kith/protocols'
import { afterEach, describe, expect, it } from 'vitest'
import { settle } from './checks.ts'
import type { Person } from './person.ts'
import { World } from './world.ts'

/** More than are kept. */
const STRANGERS = 105

let world: World
afterEach(() => world.end())

/** Eve has bob's link and writes; bob has never heard of her. */
async function eveWrites(
  seed: number,
  options: { direct?: boolean } = {}
): Promise<[Person, Person]> {
  world = new World(seed, options)
  await world.startRelay()
  const eve = world.join('eve')
  const bob = world.join('bob')
  for (const person of [eve, bob]) await person.start()
  await world.run(1_000)
  await eve.api.addContact({ link: (await bob.api.account()).directLink })
  await eve.send('bob', 'hello?')
  await eve.send('bob', 'are you there?')
  await world.run(20_000)
  return [eve, bob]
}

const states = async (person: Person, who: string) =>
  (await person.messages(who)).map(({ state }) => state)

const names = async (person: Person) => (await person.api.listContacts()).map(({ name }) => name)

describe('a first contact', () => {
  it('is a request: told once, not among contacts, and its messages are not shown', async () => {
    const [eve, bob] = await eveWrites(1)
    expect(await names(bob)).toEqual([])
    const requests = await bob.api.listRequests()
    expect(requests).toMatchObject([
      { account: eve.account, name: `~eve-${eve.account.slice(0, 8)}`, text: 'hello?' }
    ])
    expect(bob.eventsOf('request')).toMatchObject([{ request: { account: eve.account } }])
    expect(bob.eventsOf('message')).toEqual([])
    expect(bob.eventsOf('contact')).toEqual([])
    const failure = { code: 'not-accepted', hint: expect.stringContaining('kith contact accept') }
    await expect(bob.api.listMessages({ with: eve.account })).rejects.toMatchObject(failure)
    await expect(bob.api.sendMessage({ to: eve.account, text: 'x' })).rejects.toMatchObject(failure)
  })

  it('learns neither that its messages arrived nor anything of the account', async () => {
    const [eve, bob] = await eveWrites(2)
    expect(await states(eve, 'bob')).toEqual(['accepted', 'accepted'])
    await bob.stop()
    await bob.start()
    await world.run(30_000)
    await eve.send('bob', 'now?')
    await world.run(30_000)
    expect(await states(eve, 'bob')).toEqual(['accepted', 'accepted', 'accepted'])
    expect(bob.eventsOf('request')).toHaveLength(1)
    expect(await bob.api.listRequests()).toHaveLength(1)
  })

  it('learns nothing by the direct path either, until it is accepted, nor once it is blocked', async () => {
    const [eve, bob] = await eveWrites(14, { direct: true })
    await world.stopRelay()
    await eve.send('bob', 'no relay between us')
    await world.run(30_000)
    expect(await bob.api.listRequests()).toMatchObject([{ text: 'hello?' }])
    expect(await states(eve, 'bob')).toEqual(['accepted', 'accepted', 'queued'])
    await world.startRelay()
    await bob.api.acceptRequest({ who: eve.account })
    await settle(world, eve, bob)
    expect((await bob.messages('eve')).at(-1)?.path).toBe('direct')
    await bob.api.blockContact({ who: 'eve' })
    const before = bob.events.length
    await eve.send('bob', 'why?')
    await world.run(60_000)
    expect((await states(eve, 'bob')).at(-1)).toBe('queued')
    expect(bob.events.slice(before).map(({ type }) => type)).not.toContain('message')
    await bob.api.unblockContact({ who: 'eve' })
    await settle(world, eve, bob)
    expect((await bob.texts('eve')).at(-1)).toBe('why?')
  })

  it('becomes a conversation when accepted: everything is shown once, receipts and introduction go out', async () => {
    const [eve, bob] = await eveWrites(3)
    const contact = await bob.api.acceptRequest({ who: eve.account.slice(0, 8) })
    expect(contact).toMatchObject({ name: 'eve', account: eve.account })
    await world.until('delivered', async () =>
      (await states(eve, 'bob')).every((state) => state === 'delivered')
    )
    const shown = bob.eventsOf('message').map(({ message }) => message.text)
    expect(shown).toEqual(['hello?', 'are you there?'])
    expect(await bob.texts('eve')).toEqual(['hello?', 'are you there?'])
    await bob.send('eve', 'here I am')
    await settle(world, eve, bob)
    expect(await eve.texts('bob')).toEqual(['hello?', 'are you there?', 'here I am'])
    expect(await bob.api.listRequests()).toEqual([])
    await expect(bob.api.acceptRequest({ who: 'eve' })).rejects.toMatchObject({
      code: 'no-request',
      message: expect.stringContaining('is a contact already')
    })
  })

  it('is accepted by adding its link', async () => {
    const [eve, bob] = await eveWrites(4)
    await bob.api.addContact({ link: eve.link, name: 'eve' })
    expect(await bob.texts('eve')).toEqual(['hello?', 'are you there?'])
    expect(bob.eventsOf('message')).toHaveLength(2)
    expect(await bob.api.listRequests()).toEqual([])
    await settle(world, eve, bob)
  })

  it('is still accepted after a restart right behind the decision', async () => {
    const [eve, bob] = await eveWrites(5)
    world.cut(bob)
    await bob.api.acceptRequest({ who: eve.account, name: 'e' })
    await bob.crash()
    world.heal(bob)
    await bob.start()
    await world.until('delivered', async () =>
      (await states(eve, 'bob')).every((state) => state === 'delivered')
    )
    expect(await names(bob)).toEqual(['e'])
  })

  it('that is ignored is gone, tells nothing, and does not ask again', async () => {
    const [eve, bob] = await eveWrites(6)
    await bob.api.ignoreRequest({ who: eve.account })
    expect(await bob.api.listRequests()).toEqual([])
    await eve.send('bob', 'hello??')
    await world.run(20_000)
    expect(await bob.api.listRequests()).toEqual([])
    expect(bob.eventsOf('request')).toHaveLength(1)
    expect(await states(eve, 'bob')).toEqual(['accepted', 'accepted', 'accepted'])
    await expect(bob.api.ignoreRequest({ who: eve.account })).rejects.toMatchObject({
      code: 'no-request'
    })
    await bob.api.acceptRequest({ who: eve.account, name: 'eve' })
    expect(await bob.texts('eve')).toEqual(['hello?', 'are you there?', 'hello??'])
  })

  it('cannot be taken for a contact of the same name, and needs another one to be accepted', async () => {
    world = await World.of(7, ['alice', 'bob'])
    const [alice, bob] = world.people as [Person, Person]
    await bob.api.addContact({ link: alice.link })
    const eve = world.join('eve', { shownAs: '\u202E~ALICE\u001B[2J' })
    await eve.start()
    await world.run(1_000)
    await eve.api.addContact({ link: bob.link })
    await eve.send('bob', 'it is me')
    await world.run(10_000)
    const [request] = await bob.api.listRequests()
    expect(request?.name).toBe(`~ALICE[2J-${eve.account.slice(0, 8)}`)
    expect(await names(bob)).toEqual(['alice'])
    await expect(bob.api.sendMessage({ to: 'ALICE[2J', text: 'x' })).rejects.toMatchObject({
      code: 'unknown-contact'
    })
  })
})

describe('a blocked account', () => {
  it('is refused by the relay and not shown; unblocked, a contact is one again', async () => {
    const [eve, bob] = await eveWrites(8)
    await bob.api.acceptRequest({ who: eve.account })
    await settle(world, eve, bob)
    const { contact, relaysTold } = await bob.api.blockContact({ who: 'eve' })
    expect([contact.isBlocked, relaysTold]).toEqual([true, 1])
    const before = bob.events.length
    await eve.send('bob', 'why?')
    await world.run(30_000)
    expect(bob.events.slice(before)).toEqual([])
    // As if the box were full: eve is not told that she is blocked.
    expect((await states(eve, 'bob')).at(-1)).toBe('queued')
    expect(await names(bob)).toEqual([])
    expect(await bob.api.listBlocked()).toMatchObject([{ name: 'eve', isBlocked: true }])
    for (const failing of [
      bob.api.sendMessage({ to: 'eve', text: 'x' }),
      bob.api.listMessages({ with: 'eve' }),
      bob.api.addContact({ link: eve.link })
    ]) {
      await expect(failing).rejects.toMatchObject({
        code: 'blocked',
        hint: expect.stringContaining('kith contact unblock')
      })
    }
    await bob.api.unblockContact({ who: 'eve' })
    await eve.send('bob', 'again')
    await settle(world, eve, bob)
    // It had never left her outbox.
    expect(await bob.texts('eve')).toEqual(['hello?', 'are you there?', 'why?', 'again'])
  })

  it('stays blocked over a restart, and while the relay cannot be told', async () => {
    const [eve, bob] = await eveWrites(9)
    world.cut(bob)
    const blocking = bob.api.blockContact({ who: eve.account })
    await world.run(10_000)
    expect((await blocking).relaysTold).toBe(0)
    await eve.send('bob', 'one')
    await world.run(5_000)
    await bob.crash()
    world.heal(bob)
    await bob.start()
    await world.run(20_000)
    await eve.send('bob', 'two')
    await world.run(20_000)
    expect(await bob.api.listRequests()).toEqual([])
    expect(bob.eventsOf('message')).toEqual([])
    await bob.api.unblockContact({ who: eve.account })
    expect(await bob.api.listRequests()).toEqual([])
    // Until the relay was told it took "one", which bob dropped; "two" waits with eve.
    await eve.send('bob', 'three')
    await world.run(60_000)
    expect(await bob.api.listRequests()).toMatchObject([{ text: 'hello?' }])
    await bob.api.acceptRequest({ who: eve.account })
    expect(await bob.texts('eve')).toEqual(['hello?', 'are you there?', 'two', 'three'])
  })

  it('cannot be the own one, an unknown one, or one that is not blocked', async () => {
    world = await World.of(10, ['alice', 'bob'])
    const [alice, bob] = world.people as [Person, Person]
    await alice.api.addContact({ link: bob.link })
    const { account } = await alice.api.account()
    const refused = (call: Promise<unknown>, code: string) =>
      expect(call).rejects.toMatchObject({ name: 'UserError', code })
    await refused(alice.api.blockContact({ who: account }), 'own-account')
    await refused(alice.api.blockContact({ who: 'nobody' }), 'unknown-contact')
    await refused(alice.api.unblockContact({ who: 'bob' }), 'not-blocked')
    await refused(alice.api.acceptRequest({ who: 'nobody' }), 'unknown-contact')
    await refused(alice.api.ignoreRequest({ who: 'bob' }), 'no-request')
  })
})

/** A person replaces the recovery key of the account, by the one there is. */
async function replaceRecoveryKey(person: Person, times = 0): Promise<void> {
  const [signing, next] = [times, times + 1].map((number) => recoveryKeyOf(person, number))
  if (signing === undefined || next === undefined) throw new Error('no keys')
  const state = await logOf(person)
  const operation = identity.Operation.encode({
    version: identity.OPERATION_VERSION,
    account: idBytes(person.account),
    sequence: state.length,
    previous: state.head,
    createdAtMs: world.clock.now(),
    setRecoveryKey: { recoveryKey: next.publicKey }
  })
  const { publicKey, privateKey } = signing
  const signature = primitives.sign(privateKey, identity.operationToSign(operation))
  const signed = { operation, signer: publicKey, signature }
  await rpcOf(person).request(relay(), identity.identityAppend, { operation: signed, invite: '' })
}

/** The first of the account, or the one after so many replacements. */
const recoveryKeyOf = ({ recovery, account }: Person, replaced: number) =>
  replaced === 0
    ? recovery
    : primitives.keyPair(primitives.sha256(idBytes(account), Uint8Array.of(replaced)))

const relay = () => ({ id: world.relayId, addresses: [] })

function rpcOf({ rpc }: Person): Rpc {
  if (rpc === undefined) throw new Error('not running')
  return rpc
}

async function logOf(person: Person): Promise<identity.AccountState> {
  const { operations } = await rpcOf(person).request(relay(), identity.identityFetch, {
    account: idBytes(person.account),
    from: 0
  })
  return identity.foldAccountLog(operations, primitives)
}

describe('a flood of strangers', () => {
  it('leaves the newest hundred requests, and room for contacts', async () => {
    world = await World.of(12, ['alice', 'bob'])
    const [alice, bob] = world.people as [Person, Person]
    await bob.api.addContact({ link: alice.link })
    await alice.api.addContact({ link: bob.link })
    await alice.send('bob', 'before')
    await settle(world, alice, bob)
    for (let number = 0; number < STRANGERS; number += 1) {
      const stranger = world.join(`s${number}`)
      await stranger.start()
      await world.run(200)
      await stranger.api.addContact({ link: bob.link })
      await stranger.send('bob', `buy ${number}`)
      await world.run(1_000)
      await stranger.stop()
    }
    await world.run(5_000)
    await alice.send('bob', 'after')
    await settle(world, alice, bob)
    expect(await bob.texts('alice')).toEqual(['before', 'after'])
    const requests = await bob.api.listRequests()
    expect(requests).toHaveLength(100)
    expect(requests[0]?.text).toBe(`buy ${STRANGERS - 1}`)
    expect(bob.eventsOf('message')).toHaveLength(2)
    expect(bob.eventsOf('request')).toHaveLength(STRANGERS)
    await bob.stop()
    await bob.start()
    expect(await bob.api.listRequests()).toEqual(requests)
  }, 60_000)
})

describe('a safety number', () => {
  it('changes with a recovery key: both sides see it, and the contact is no longer verified', async () => {
    const [eve, bob] = await eveWrites(13)
    await bob.api.acceptRequest({ who: eve.account })
    const before = await bob.api.safetyNumber({ who: 'eve' })
    await bob.api.verifyContact({ who: 'eve', digits: before.digits })
    await replaceRecoveryKey(eve)
    const after = await bob.api.safetyNumber({ who: 'eve' })
    expect(after.digits).not.toBe(before.digits)
    expect(after.contact.isVerified).toBe(false)
    expect((await eve.api.safetyNumber({ who: 'bob' })).digits).toBe(after.digits)
    await world.run(1_000)
    const told = 'eve replaced the recovery key: the safety number has changed, compare it again'
    expect(bob.eventsOf('notice').map(({ text }) => text)).toEqual([`${told}.`])
    expect((await bob.api.listMessages({ with: 'eve' })).notices).toMatchObject([{ text: told }])
    await bob.api.verifyContact({ who: 'eve', digits: after.digits })
    // Found at the beginning of a session, without anybody looking.
    await replaceRecoveryKey(eve, 1)
    await bob.stop()
    await bob.start()
    await world.run(5_000)
    expect(bob.eventsOf('notice')).toHaveLength(2)
    expect((await bob.api.listContacts())[0]?.isVerified).toBe(false)
    const old = bob.api.verifyContact({ who: 'eve', digits: before.digits })
    await expect(old).rejects.toMatchObject({ code: 'safety-mismatch' })
  })

  it('is the same on both sides, and confirming it marks the contact for good', async () => {
    const [eve, bob] = await eveWrites(11)
    await bob.api.acceptRequest({ who: eve.account })
    const [hers, his] = [
      await eve.api.safetyNumber({ who: 'bob' }),
      await bob.api.safetyNumber({ who: 'eve' })
    ]
    expect(hers.digits).toMatch(/^\d{60}$/)
    expect(his.digits).toBe(hers.digits)
    expect(his.ownDevicesHash).toBe(hers.theirDevicesHash)
    expect(his.theirDevicesHash).toBe(hers.ownDevicesHash)
    const spaced = hers.digits.match(/.{5}/g)?.join(' ') ?? ''
    const wrong = hers.digits.replace(/^./, (digit) => String((Number(digit) + 1) % 10))
    await expect(bob.api.verifyContact({ who: 'eve', digits: wrong })).rejects.toMatchObject({
      code: 'safety-mismatch'
    })
    await expect(bob.api.verifyContact({ who: 'eve', digits: '12345' })).rejects.toMatchObject({
      code: 'bad-safety-number'
    })
    expect((await bob.api.listContacts())[0]?.isVerified).toBe(false)
    await bob.api.verifyContact({ who: 'eve', digits: ` ${spaced}\n` })
    await bob.stop()
    await bob.start()
    expect((await bob.api.listContacts())[0]?.isVerified).toBe(true)
  })
})
