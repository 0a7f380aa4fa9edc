// One person with two devices, on real processes: a code is carried from one to the other, both then read and write
// the same, and the one that is removed reads nothing more.
import type { AccountView, DeviceView, EmojiView, LinkView, NodeEvent } from '@kith/node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Stage } from '../network/kith.ts'
import type { LocalProcess } from '../network/processes.ts'

const RUN_MS = 60_000
const WAIT = { timeoutMs: 20_000 }

const stage = new Stage(AbortSignal.timeout(RUN_MS))
afterAll(() => stage.close())

type Told = { readonly type: string; readonly link?: LinkView; readonly emoji?: EmojiView[] }

/** The next line of JSON that fits. */
async function told<T = Told>(from: LocalProcess, fits: (value: T) => boolean): Promise<T> {
  const parse = (line: string) => JSON.parse(line) as T
  return parse(await from.line((line) => fits(parse(line)), WAIT))
}

const linkOf = (state: LinkView['state']) => (value: Told) => value.link?.state === state

/** Keeps somebody's node running. */
async function open(name: string): Promise<LocalProcess> {
  const watch = stage.startKith(name, { args: ['message', 'watch', '--json'] })
  await told(watch, ({ type }) => type === 'ready')
  return watch
}

const arrives = (at: LocalProcess, text: string) =>
  told<NodeEvent>(at, (event) => event.type === 'message' && event.message.text === text)

const send = (name: string, to: string, text: string) =>
  stage.kith(name, 'message', 'send', to, text, '--wait', 'delivered')

/** Without the notices between them. */
const messagesOf = async (name: string, peer: string) =>
  (await stage.messages(name, peer)).messages.filter((line) => 'text' in line && 'local' in line)

const idsOf = async (name: string, peer: string) =>
  (await messagesOf(name, peer)).map(({ id }) => id)

const textsOf = async (name: string, peer: string) =>
  (await messagesOf(name, peer)).map(({ text }) => text)

const devicesOf = async (name: string) =>
  (await stage.kithJson(name, 'device', 'list')) as DeviceView[]

let alice: LocalProcess
let bob: LocalProcess
let phone: LocalProcess

/** Both sides of a link up to the emoji. */
async function meet(as: string) {
  const old = stage.startKith('alice', { args: ['device', 'add', '--json'] })
  const waiting = await told(old, linkOf('waiting'))
  const code = waiting.link?.state === 'waiting' ? waiting.link.code : ''
  const fresh = stage.startKith(as, { args: ['device', 'link', code, '--name', as, '--json'] })
  const shown = await told(fresh, ({ type }) => type === 'compare')
  const comparing = await told(old, linkOf('comparing'))
  const emoji = comparing.link?.state === 'comparing' ? comparing.link.emoji : []
  return { old, fresh, code, emoji: [emoji, shown.emoji ?? []] as const }
}

beforeAll(async () => {
  await stage.introduce('alice', 'bob')
  alice = await open('alice')
  bob = await open('bob')
  await send('alice', 'bob', 'one')
  await send('bob', 'alice', 'two')
  await send('alice', 'bob', 'three')
}, RUN_MS)

describe('a second device', () => {
  test('is not taken in when a user says that the emoji differ', { timeout: RUN_MS }, async () => {
    const { old, fresh } = await meet('tablet')
    old.write('yes')
    fresh.write('no')
    expect([await fresh.finish(WAIT), await old.finish(WAIT)]).toEqual([6, 6])
    expect(old.errors.join()).toContain('link-refused-there')
    expect(fresh.errors.join()).toContain('link-refused')
    expect(await devicesOf('alice')).toHaveLength(1)
    await expect(stage.kith('tablet', 'account', 'show')).rejects.toThrow()
  })

  test('gets the whole history in the same order', { timeout: RUN_MS }, async () => {
    const { old, fresh, code, emoji } = await meet('phone')
    expect(emoji[0]).toHaveLength(6)
    expect(emoji[1]).toEqual(emoji[0])
    old.write('yes')
    fresh.write('yes')
    await Promise.all([fresh.success(WAIT), old.success(WAIT)])
    const again = stage.startKith('tablet', { args: ['device', 'link', code, '--json'] })
    phone = await open('phone')
    await arrives(phone, 'three')
    expect(await textsOf('phone', 'bob')).toEqual(['one', 'two', 'three'])
    expect(await idsOf('phone', 'bob')).toEqual(await idsOf('alice', 'bob'))
    expect(await devicesOf('alice')).toMatchObject([{ isThis: true }, { name: 'phone' }])
    expect(await devicesOf('phone')).toMatchObject([{ isThis: false }, { name: 'phone' }])
    expect([4, 5]).toContain(await again.finish(WAIT))
  })

  test('reads and writes like the first', { timeout: RUN_MS }, async () => {
    await send('bob', 'alice', 'four')
    await Promise.all([arrives(alice, 'four'), arrives(phone, 'four')])
    await send('alice', 'bob', 'five')
    await Promise.all([arrives(bob, 'five'), arrives(phone, 'five')])
    await send('phone', 'bob', 'six')
    await Promise.all([arrives(bob, 'six'), arrives(alice, 'six')])
    const ids = await idsOf('alice', 'bob')
    expect(ids).toHaveLength(6)
    expect(await idsOf('phone', 'bob')).toEqual(ids)
    expect(await idsOf('bob', 'alice')).toEqual(ids)
    const messages = await messagesOf('phone', 'bob')
    expect(messages.map(({ outgoing }) => outgoing)).toEqual([true, false, true, false, true, true])
  })

  test('reads nothing more once it is removed', { timeout: RUN_MS }, async () => {
    const [account] = (await stage.kithJson('phone', 'account', 'show')) as AccountView[]
    const before = await textsOf('phone', 'bob')
    const startedAtMs = performance.now()
    const since = () => `${Math.round(performance.now() - startedAtMs)} ms`
    const [removed, shutOut] = await Promise.all([
      stage.kith('alice', 'device', 'remove', 'phone').then(since),
      told<NodeEvent>(phone, (event) => event.type === 'connection' && !event.connected).then(since)
    ])
    console.log(
      `kith device remove: shut out after ${shutOut}, the command has ended after ${removed}`
    )
    expect((await devicesOf('alice')).map(({ device }) => device)).not.toContain(account?.device)
    await send('bob', 'alice', 'seven')
    await send('alice', 'bob', 'eight')
    await told<NodeEvent>(
      phone,
      (event) => event.type === 'notice' && event.text.includes('removed from its account')
    )
    expect(await textsOf('phone', 'bob')).toEqual(before)
    await expect(send('phone', 'bob', 'nine')).rejects.toThrow()
    await phone.stop()
    phone = await open('phone')
    expect(await textsOf('phone', 'bob')).toEqual(before)
    expect(await idsOf('bob', 'alice')).toEqual(await idsOf('alice', 'bob'))
  })
})
