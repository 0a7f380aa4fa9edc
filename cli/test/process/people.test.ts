// Strangers at the built command: who wrote without being a contact, and what becomes of it.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ProcessStage, until } from './stage.ts'

const stage = new ProcessStage()

const show = async (name: string): Promise<{ link: string; account: string }> =>
  (await stage.kith(['account', 'show', '--json'], { as: name })).json()[0] as never

async function well(as: string, ...argv: string[]): Promise<string> {
  const { code, stdout, stderr } = await stage.kith(argv, { as })
  expect([code, stderr], `${as}: kith ${argv.join(' ')}`).toEqual([0, ''])
  return stdout
}

beforeAll(async () => {
  await stage.open()
  const { link } = await stage.startRelay('relay')
  for (const name of ['alice', 'eve', 'bob']) {
    // Eve calls herself as alice's friend does.
    const shown = name === 'eve' ? 'bob' : name
    await well(name, 'account', 'create', '--relay', link, '--name', shown)
  }
  await well('alice', 'contact', 'add', (await show('bob')).link)
  await well('eve', 'contact', 'add', (await show('alice')).link)
}, 60_000)

afterAll(() => stage.close())

it('a stranger is a request until accepted, and blocked ones are refused', async () => {
  const { account } = await show('eve')
  const short = account.slice(0, 8)
  const watch = stage.start(['message', 'watch', '--json'], { as: 'alice', input: null })
  await until(() => watch.stdout().includes('"ready"'))
  await well('eve', 'message', 'send', 'alice', 'it is me, bob')
  await until(() => watch.stdout().includes('"type":"request"'))
  expect(watch.stdout()).not.toContain('"type":"message"')
  expect(await well('alice', 'contact', 'requests')).toMatch(
    new RegExp(`^~bob-${short} {2}${account} .*\\n {2}│ it is me, bob\\n$`)
  )
  expect(await well('alice', 'contact', 'list')).not.toContain(account)
  const early = await stage.kith(['message', 'send', account, 'x'], { as: 'alice' })
  expect([early.code, early.stdout]).toEqual([4, ''])
  expect(early.stderr).toContain(`try: kith contact accept ${short}`)

  const taken = await stage.kith(['contact', 'accept', short], { as: 'alice' })
  expect([taken.code, taken.stdout]).toEqual([2, ''])
  expect(taken.stderr).toContain('You already have a contact called "bob"')
  await well('alice', 'contact', 'accept', short, '--name', 'eve')
  await until(() => watch.stdout().includes('"text":"it is me, bob"'))
  expect(await well('alice', 'message', 'list', 'eve')).toContain('eve: it is me, bob')

  const digits = ((
    await stage.kith(['contact', 'verify', 'alice', '--json'], { as: 'eve' })
  ).json()[0]?.digits ?? '') as string
  expect(digits).toMatch(/^\d{60}$/)
  const wrong = ['contact', 'verify', 'eve', '--confirm', digits.split('').reverse().join('')]
  const mismatch = await stage.kith(wrong, { as: 'alice' })
  expect([mismatch.code, mismatch.stdout]).toEqual([6, ''])
  expect(mismatch.stderr).toContain('one of you was given a false account')
  await well('alice', 'contact', 'verify', 'eve', '--confirm', digits)
  expect(await well('alice', 'contact', 'list')).toContain(`eve  ${account}  ✓ verified`)

  await well('alice', 'contact', 'block', 'eve')
  const refused = await stage.kith(
    ['message', 'send', 'alice', 'why?', '--wait', 'accepted', '--timeout', '2'],
    { as: 'eve' }
  )
  expect(refused.code).toBe(3)
  expect(await well('alice', 'contact', 'list', '--blocked')).toContain(account)
  expect(watch.stdout()).not.toContain('why?')
  await well('alice', 'contact', 'unblock', 'eve')
  expect(await well('alice', 'contact', 'list')).toContain(account)
  watch.child.kill('SIGINT')
  expect((await watch.ended).code).toBe(0)
}, 60_000)

it('says what is wrong', async () => {
  const { account } = await show('bob')
  for (const [argv, code, says] of [
    [['contact', 'accept', 'nobody'], 5, 'There is no contact called "nobody"'],
    [['contact', 'ignore', account], 5, 'is a contact already'],
    [['contact', 'unblock', 'bob'], 2, 'is not blocked'],
    [['contact', 'block', (await show('alice')).account], 2, 'your own account'],
    [['contact', 'verify', 'bob', '--confirm', '123'], 2, '60 digits'],
    [['contact', 'accept', '\u001B[2J\u202E'], 5, 'no contact called'],
    [['contact', 'accept'], 2, 'Missing required argument']
  ] as const) {
    const ended = await stage.kith(argv, { as: 'alice' })
    expect([ended.code, ended.stdout], argv.join(' ')).toEqual([code, ''])
    expect(ended.stderr).toContain(says)
    expect(ended.stderr.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u)
  }
}, 60_000)

/** Somebody's new machine becomes a device of the account. */
async function link(person: string, machine: string): Promise<void> {
  const add = stage.start(['device', 'add'], { as: person, input: null })
  await until(() => add.stdout().includes("kith device link '"))
  const code = /kith device link '([^']+)'/.exec(add.stdout())?.[1] ?? ''
  const join = stage.start(['device', 'link', code, '--name', machine], {
    as: machine,
    input: null
  })
  for (const { child, stderr } of [join, add]) {
    await until(() => stderr().includes('Type yes or no'))
    child.stdin?.end('yes\n')
  }
  for (const { ended } of [join, add]) {
    const { code: exitCode, stderr } = await ended
    expect(exitCode, stderr).toBe(0)
  }
}

it('a device that a verified contact adds is told between the messages', async () => {
  await well('bob', 'contact', 'add', (await show('alice')).link)
  const watch = stage.start(['message', 'watch'], { as: 'alice', input: null })
  await well('bob', 'message', 'send', 'alice', 'before', '--wait', 'delivered')
  const digitsOf = async (as: string, who: string) =>
    (await stage.kith(['contact', 'verify', who, '--json'], { as })).json()[0] ?? {}
  const { digits } = await digitsOf('bob', 'alice')
  await well('alice', 'contact', 'verify', 'bob', '--confirm', String(digits))
  await link('bob', 'phone')
  await well('bob', 'message', 'send', 'alice', 'after', '--wait', 'delivered')
  await until(() => watch.stdout().includes('-- bob added a device'))
  expect((await well('alice', 'message', 'list', 'bob')).split('\n').slice(1)).toEqual([
    expect.stringMatching(/bob: before$/),
    expect.stringMatching(
      /^-- bob added a device \(12D3….{6}\); the safety number still holds, ask bob whether .* --$/
    ),
    expect.stringMatching(/bob: after$/),
    ''
  ])
  const { digits: now, theirDevices } = await digitsOf('alice', 'bob')
  expect([now, (theirDevices as unknown[]).length]).toEqual([digits, 2])
  expect(await well('alice', 'contact', 'list')).toContain('✓ verified')
  expect(await well('phone', 'contact', 'list')).toContain('alice')
  watch.child.kill('SIGINT')
  expect((await watch.ended).code).toBe(0)
}, 90_000)
