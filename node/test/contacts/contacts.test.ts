import { type AccountId, accountIdOf, formatContactLink, idBytes, relayIdOf } from '@kith/protocols'
import { beforeEach, describe, expect, it } from 'vitest'
import { standingOf } from '../../src/contacts/contact.ts'
import { Contacts } from '../../src/contacts/contacts.ts'
import { EventLog } from '../../src/events/index.ts'
import { nodePrimitives as primitives } from '../../src/kernel/primitives.node.ts'
import { encodeRecord } from '../../src/kernel/record.ts'
import { storeKey, u32 } from '../../src/kernel/store/key.ts'
import { MemoryDisk, openMemoryStore } from '../../src/kernel/store/memory.ts'
import type { Store } from '../../src/kernel/store/store.ts'
import { FakeClock } from '../../src/testing/index.ts'

const RELAY = relayIdOf(primitives.keyPair(new Uint8Array(32).fill(1)).publicKey)
const SELF = accountIdOf(new Uint8Array(32).fill(255))
const SECRET = new Uint8Array(32).fill(9)
const REQUESTS_MAX = 100

/** The account of a number; its id begins differently from every other's. */
function account(number: number): AccountId {
  return accountIdOf(primitives.sha256(u32(number)))
}

const linkOf = (number: number, name: string) =>
  formatContactLink({
    account: account(number),
    name,
    relays: [{ relay: RELAY, addresses: ['/ip4/127.0.0.1/tcp/4001'] }]
  })

const introduce = (number: number, name: string) =>
  contacts.introduce({ account: account(number), name, deliverySecret: SECRET })

/** Whether the user is told of a request. */
const ask = async (number: number): Promise<boolean> =>
  (await contacts.announce(account(number), { text: 'hello', atMs: 1 })) !== undefined

let disk: MemoryDisk
let clock: FakeClock
let contacts: Contacts
let store: Store | undefined

/** As after a restart: from what is on disk. */
async function open(): Promise<Contacts> {
  await store?.close()
  store = openMemoryStore(disk)
  const directory = { state: () => undefined }
  const events = await EventLog.open({ store, clock })
  const opened = new Contacts({ store, primitives, clock, events, directory, self: SELF })
  await opened.load()
  return opened
}

beforeEach(async () => {
  await store?.close()
  store = undefined
  disk = new MemoryDisk()
  clock = new FakeClock()
  contacts = await open()
})

describe('contacts', () => {
  it('make one record of an account that is met and introduced at the same moment', async () => {
    await Promise.all([contacts.meet(account(1)), introduce(1, 'eve'), contacts.meet(account(1))])
    expect(contacts.list()).toHaveLength(1)
    contacts = await open()
    expect(contacts.list('request')).toMatchObject([
      { local: 1, name: `~eve-${account(1).slice(0, 8)}` }
    ])
  })

  it('keep two accounts apart that take the same name at the same moment', async () => {
    const both = await Promise.allSettled([
      contacts.add({ link: linkOf(1, 'eve') }),
      contacts.add({ link: linkOf(2, 'eve') })
    ])
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(both[1]).toMatchObject({ reason: { code: 'name-taken' } })
  })

  it('take a name that a link suggests without what must not be shown, or ask for one', async () => {
    const link = (name: string) =>
      linkOf(1, 'x').replace('name=x', `name=${encodeURIComponent(name)}`)
    expect((await contacts.add({ link: link('bob\u202E') })).name).toBe('bob')
    const nameless = contacts.add({ link: link('\u200B') })
    await expect(nameless).rejects.toMatchObject({ code: 'bad-name' })
    await expect(contacts.add({ link: linkOf(1, 'bob'), name: '~bob' })).rejects.toMatchObject({
      code: 'bad-name',
      hint: expect.stringContaining('--name')
    })
  })

  it('are read from records of the version before', async () => {
    const old = {
      local: 1,
      account: account(1),
      name: 'bob',
      relays: [],
      deliverySecret: SECRET,
      confirmed: true
    }
    const stranger = { ...old, local: 2, account: account(2), name: '~eve', confirmed: false }
    await store?.commit(
      [old, stranger].map((record) => ({
        type: 'put',
        key: storeKey('contacts/contact', u32(record.local)),
        value: encodeRecord(record)
      }))
    )
    contacts = await open()
    expect(contacts.find('bob')).toMatchObject({ devices: [] })
    expect(contacts.list('request')).toMatchObject([{ account: account(2) }])
    await introduce(2, 'eve')
    expect((await contacts.accept(account(2))).name).toBe('eve')
  })
})

describe('who', () => {
  it('is a name, an account id, or enough of its beginning', async () => {
    await contacts.add({ link: linkOf(1, 'bob') })
    for (const who of ['bob', account(1), account(1).slice(0, 8)]) {
      expect(contacts.find(who).account).toBe(account(1))
    }
    for (const who of ['', 'BOB', account(1).slice(0, 7), 'x'.repeat(10_000), '\u001B']) {
      expect(() => contacts.find(who), who.slice(0, 9)).toThrow('There is no contact called')
    }
    expect(() => contacts.find(SELF)).toThrow('your own account')
  })

  it('is nobody when two accounts begin so', async () => {
    const [one, other] = [idBytes(account(1)).slice(), idBytes(account(1)).slice()]
    other[31] = (one[31] as number) ^ 0xff
    await contacts.meet(accountIdOf(one))
    await contacts.meet(accountIdOf(other))
    expect(() => contacts.findAny(account(1).slice(0, 8))).toThrow('Several accounts begin')
  })

  it('can be a contact whose name is the beginning of a stranger', async () => {
    await contacts.meet(account(1))
    await contacts.add({ link: linkOf(2, 'x'), name: account(1).slice(0, 8) })
    expect(contacts.find(account(1).slice(0, 8)).account).toBe(account(2))
  })
})

describe('requests', () => {
  it('of a flood are the newest hundred, quickly, and one pushed out comes back when it writes', async () => {
    for (let number = 0; number < 1_000; number += 1) {
      await introduce(number, 'eve')
      await ask(number)
      await clock.advance(1)
    }
    const kept = contacts.list('request')
    expect(kept).toHaveLength(REQUESTS_MAX)
    expect(kept.every(({ local }) => local > 1_000 - REQUESTS_MAX)).toBe(true)
    expect(standingOf(contacts.get(account(0)) as never)).toBe('ignored')
    expect(await ask(0)).toBe(true)
    expect(contacts.list('request')).toHaveLength(REQUESTS_MAX)
    expect(standingOf(contacts.get(account(0)) as never)).toBe('request')
    contacts = await open()
    expect(contacts.list('request')).toHaveLength(REQUESTS_MAX)
  }, 10_000)

  it.each([
    ['ahead', 1],
    ['back', -1]
  ])(
    'are pushed out in the order in which they came, also when the clock is set %s',
    async (_way, way) => {
      const tenYearsMs = 10 * 365 * 24 * 3_600_000
      for (let number = 0; number < REQUESTS_MAX; number += 1) {
        await ask(number)
        await clock.advance(1)
      }
      clock.shiftWall(way * tenYearsMs)
      await ask(1_000)
      clock.shiftWall(-way * tenYearsMs)
      await clock.advance(1)
      // Pushed out by now, it is new when it writes again.
      expect(await ask(0)).toBe(true)
      contacts = await open()
      for (let number = 1_001; number < 1_010; number += 1) await ask(number)
      for (const number of [0, 1_000, 1_001, 1_009]) {
        expect(standingOf(contacts.get(account(number)) as never), `${number}`).toBe('request')
      }
      for (const number of [1, 2, 10]) {
        expect(standingOf(contacts.get(account(number)) as never), `${number}`).toBe('ignored')
      }
      expect(contacts.list('request')).toHaveLength(REQUESTS_MAX)
    }
  )

  it('are told of once, over restarts', async () => {
    expect(await ask(1)).toBe(true)
    expect(await ask(1)).toBe(false)
    contacts = await open()
    expect(await ask(1)).toBe(false)
  })

  it('can be accepted once, under a name that is free', async () => {
    await contacts.add({ link: linkOf(1, 'bob') })
    await introduce(2, 'Bob')
    await introduce(3, '')
    const refused = { code: 'name-taken', hint: expect.stringContaining('--name') }
    await expect(contacts.accept(account(2))).rejects.toMatchObject(refused)
    await expect(contacts.accept(account(3))).rejects.toMatchObject({ code: 'bad-name' })
    expect(await contacts.accept(account(2), 'other bob')).toMatchObject({ name: 'other bob' })
    await expect(contacts.accept(account(2), 'x')).rejects.toMatchObject({ code: 'no-request' })
    await introduce(2, 'mallory')
    expect(contacts.get(account(2))?.name).toBe('other bob')
  })

  it('of an account that another own device talks to become a contact under a free name', async () => {
    await contacts.add({ link: linkOf(1, 'bob') })
    await introduce(2, 'bob')
    expect((await contacts.adopt(account(2))).name).toBe(`bob ${account(2).slice(0, 8)}`)
    expect((await contacts.adopt(account(3))).name).toBe(account(3).slice(0, 8))
  })

  it('do not come from ignored accounts, which can still be accepted', async () => {
    await introduce(1, 'eve')
    await contacts.ignore(account(1))
    expect(await ask(1)).toBe(false)
    expect(contacts.list('request')).toEqual([])
    expect((await contacts.accept(account(1))).name).toBe('eve')
  })
})

describe('blocking', () => {
  it('ends at what a relay keeps, and can be repeated', async () => {
    for (let number = 0; number < 1_000; number += 1) {
      await contacts.meet(account(number))
      await contacts.block(account(number))
    }
    await contacts.block(account(0))
    await contacts.meet(account(1_000))
    await expect(contacts.block(account(1_000))).rejects.toMatchObject({ code: 'too-many-blocked' })
    await contacts.unblock(account(0))
    await contacts.block(account(1_000))
    expect(contacts.list('blocked')).toHaveLength(1_000)
  }, 10_000)

  it('outlasts restarts and is not undone by an introduction', async () => {
    await introduce(1, 'eve')
    await contacts.block(account(1))
    await introduce(1, 'nice eve')
    contacts = await open()
    expect(await ask(1)).toBe(false)
    expect(contacts.list('request')).toEqual([])
    await expect(contacts.accept(account(1))).rejects.toMatchObject({
      code: 'no-request',
      hint: expect.stringContaining('unblock')
    })
  })
})
