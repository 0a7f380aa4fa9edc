import { UserError } from '@kith/node'
import { beforeEach, describe, expect, it } from 'vitest'
import type { SecretSource } from '../../src/engine.ts'
import { type MemoryPerson, MemoryWorld } from '../memory-engine.ts'
import { noSecrets, type RunOptions, run, temporaryHome } from '../run.ts'

let home: string
let world: MemoryWorld
let alice: MemoryPerson
let bob: MemoryPerson

beforeEach(async () => {
  home = await temporaryHome()
  world = new MemoryWorld()
  alice = world.person(home, 'alice')
  bob = world.person('/bob', 'bob')
  alice.addContact(bob)
  bob.addContact(alice)
})

const kith = (argv: readonly string[], options: Partial<RunOptions> = {}) =>
  run(argv, { home, engine: world, ...options })

const LINK = 'kith:join/x'

describe('account create', () => {
  const create = (options: Partial<RunOptions> & { extra?: string[] } = {}) =>
    kith(['account', 'create', '--relay', LINK, '--name', 'carol', ...(options.extra ?? [])], {
      home: `${home}/carol`,
      ...options
    })

  it('prints id, contact link and the recovery words once, with a warning', async () => {
    const { code, stdout } = await create()
    expect(code).toBe(0)
    expect(stdout).toContain('kith:contact/')
    expect(stdout).toContain('Write them down now; they are not shown again')
    expect(stdout.match(/\bword24\b/g)).toHaveLength(1)
  })

  it('gives programs account and words', async () => {
    const [created] = (await create({ extra: ['--json'] })).json()
    expect(created).toMatchObject({
      account: { name: 'carol' },
      recoveryWords: expect.stringMatching(/^word1 .*word24$/)
    })
  })

  it('refuses when there is an account', async () => {
    const { code, stderr } = await kith(['account', 'create', '--relay', LINK, '--name', 'x'])
    expect(code).toBe(1)
    expect(stderr).toContain('There is an account')
  })

  it.each([
    ['', 'is empty'],
    ['a\nb', 'control character'],
    ['a\u001B[1m', 'control character'],
    ['a\u202Eb', 'writing direction'],
    ['x'.repeat(65), '65 bytes'],
    ['~x', 'begins with ~']
  ])('refuses the name %j', async (name, why) => {
    const { code, stderr } = await kith(['account', 'create', '--relay', LINK, '--name', name], {
      home: `${home}/other`
    })
    expect(code).toBe(2)
    expect(stderr).toContain(why)
  })

  it('takes emoji and right-to-left names', async () => {
    for (const name of ['👩‍🚀 ada', 'שרה']) {
      const result = await kith(['account', 'create', '--relay', LINK, '--name', name], {
        home: `${home}/${name}`
      })
      expect(result.code).toBe(0)
      expect(result.stdout).toContain(name)
    }
  })

  it('asks twice for a new passphrase, and keeps the one that was typed', async () => {
    const secrets = answers('swordfish', 'swordfish')
    expect((await create({ secrets, extra: ['--passphrase'] })).code).toBe(0)
    expect((await kith(['account', 'show'], { home: `${home}/carol` })).code).toBe(4)
    const given = { given: async () => 'swordfish', ask: async () => undefined }
    expect((await kith(['account', 'show'], { home: `${home}/carol`, secrets: given })).code).toBe(
      0
    )
  })

  it.each([
    ['differing', answers('one', 'two'), 'differ'],
    ['empty', answers('', ''), 'empty'],
    ['none to ask', noSecrets, 'no terminal']
  ])('makes nothing with passphrases %s', async (_, secrets, why) => {
    const { code, stderr } = await create({ secrets, extra: ['--passphrase'] })
    expect(code).not.toBe(0)
    expect(stderr).toContain(why)
    expect((await kith(['account', 'show'], { home: `${home}/carol` })).code).toBe(5)
  })
})

describe('opening an account', () => {
  it('asks for the passphrase at most three times', async () => {
    world.person(home, 'alice', { passphrase: 'right' })
    const asked: string[] = []
    const secrets = answers('wrong', 'right')
    const counting: SecretSource = {
      given: secrets.given,
      ask(prompt) {
        asked.push(prompt)
        return secrets.ask(prompt)
      }
    }
    expect((await kith(['account', 'show'], { secrets: counting })).code).toBe(0)
    expect(asked).toEqual(['Passphrase: ', 'Wrong. Passphrase: '])
    const always: SecretSource = { given: async () => undefined, ask: async () => 'wrong' }
    expect((await kith(['account', 'show'], { secrets: always })).code).toBe(4)
  })

  it('does not ask when a given passphrase is wrong', async () => {
    world.person(home, 'alice', { passphrase: 'right' })
    const secrets: SecretSource = {
      given: async () => 'wrong',
      ask: async () => Promise.reject(new Error('asked'))
    }
    const { code, stderr } = await kith(['account', 'show'], { secrets })
    expect([code, stderr]).toEqual([4, 'kith: The passphrase is wrong.\n'])
  })

  it('says when there is none', async () => {
    const { code, stderr } = await kith(['account', 'show', '--home', '/nowhere'])
    expect(code).toBe(5)
    expect(stderr).toContain('There is no account in /nowhere')
  })

  it('stops the messenger at the end, also after a failure', async () => {
    await kith(['account', 'show'])
    expect(alice.isHeld).toBe(false)
    await kith(['message', 'list', 'nobody'])
    expect(alice.isHeld).toBe(false)
  })
})

describe('contacts', () => {
  it('are added under the name of the link, or a chosen one, and listed', async () => {
    const carol = world.person('/carol', 'carol')
    expect((await kith(['contact', 'add', carol.link])).stdout).toContain('added carol')
    expect((await kith(['contact', 'add', carol.link, '--name', 'caro', '--json'])).json()).toEqual(
      [expect.objectContaining({ name: 'caro', account: carol.account })]
    )
    const listed = (await kith(['contact', 'list', '--json'])).json() as { name: string }[]
    expect(listed.map(({ name }) => name)).toEqual(['bob', 'carol', 'caro'])
  })

  it('are not added from a malformed link', async () => {
    const { code, stderr } = await kith(['contact', 'add', 'kith:contact/zzz'])
    expect(code).toBe(2)
    expect(stderr).toContain('not a contact link')
  })

  it('cannot write to the terminal with their names', async () => {
    alice.addContact(world.person('/eve', 'eve'), 'eve\u001B[2J\u202E\nbob')
    const { stdout } = await kith(['contact', 'list'])
    expect(stdout).toContain('eve␛[2J␊bob')
    expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u)
  })
})

describe('message send', () => {
  it('waits until a relay has accepted, and says so', async () => {
    alice.reach = 'accepted'
    const { code, stdout } = await kith(['message', 'send', 'bob', 'see', 'you'])
    expect([code, stdout]).toEqual([0, '✓  to bob: accepted by 1 relay\n'])
    expect(alice.messages[0]?.text).toBe('see you')
  })

  it('succeeds when the message is only stored, and says honestly that it is queued', async () => {
    alice.reach = 'queued'
    const { code, stdout, stderr } = await kith(['message', 'send', 'bob', 'x', '--timeout', '0'])
    expect([code, stdout]).toEqual([0, '○  to bob: queued: no relay is reached\n'])
    expect(stderr).toContain('stored on this machine')
  })

  it('tells with its exit code whether the state asked for was reached', async () => {
    expect((await kith(['message', 'send', 'bob', 'x', '--wait', 'delivered'])).code).toBe(0)
    alice.reach = 'accepted'
    const late = await kith([
      'message',
      'send',
      'bob',
      'x',
      '--wait',
      'delivered',
      '--timeout',
      '0',
      '--json'
    ])
    expect(late.code).toBe(3)
    expect(late.json()).toEqual([expect.objectContaining({ outgoing: true, text: 'x' })])
    expect(alice.messages).toHaveLength(2)
  })

  it('fails, with what to do and a code for scripts, while the outbox is full', async () => {
    alice.refusal = new UserError('outbox-full', 'The message was not taken: …', {
      hint: 'kith account show names the relay, which cannot be reached: send again once it can.'
    })
    const send = ['message', 'send', 'bob', 'one too many']
    const { code, stdout, stderr } = await kith(send)
    expect([code, stdout]).toEqual([4, ''])
    expect(stderr).toContain('The message was not taken')
    expect(stderr).toContain('try: kith account show')
    const forScripts = await kith([...send, '--json'])
    expect(forScripts.code).toBe(4)
    expect(JSON.parse(forScripts.stderr)).toMatchObject({
      error: { code: 'outbox-full', exitCode: 4 }
    })
    const piped = await kith(['chat', 'bob'], { stdin: ['one too many\n'] })
    expect(piped.code).toBe(4)
    expect(alice.messages).toEqual([])
  })

  it('reads the text from standard input, without its last line break', async () => {
    const { code } = await kith(['message', 'send', 'bob', '-'], {
      stdin: ['two\nli', 'nes 👩‍🚀\n']
    })
    expect(code).toBe(0)
    expect(alice.messages[0]?.text).toBe('two\nlines 👩‍🚀')
  })

  it('takes a text that begins with a dash after --', async () => {
    await kith(['message', 'send', 'bob', '--', '-5', '--json'])
    expect(alice.messages[0]?.text).toBe('-5 --json')
  })

  it.each([
    ['empty', ['  \n\t'], 'The message is empty. Nothing was sent.'],
    [
      'over 16 KiB',
      ['x'.repeat(16_385)],
      'The text is 16385 bytes; a message holds at most 16384. Nothing was sent.'
    ],
    ['over 16 KiB in UTF-8 only', ['é'.repeat(8_193)], 'The text is 16386 bytes'],
    ['with NUL', ['a\0b'], 'The text holds a NUL character (U+0000). Nothing was sent.'],
    ['not UTF-8', [Uint8Array.of(0x61, 0xff)], 'not valid UTF-8'],
    ['endless', Array.from({ length: 100 }, () => 'x'.repeat(1_000)), 'The text is 100000 bytes']
  ])('refuses a text that is %s', async (_, stdin, why) => {
    const { code, stderr } = await kith(['message', 'send', 'bob', '-'], { stdin })
    expect(code).toBe(2)
    expect(stderr).toContain(why)
    expect(alice.calls).toEqual([])
  })

  it('sends exactly 16 KiB', async () => {
    const { code } = await kith(['message', 'send', 'bob', '-'], {
      stdin: [`${'x'.repeat(16_384)}\n`]
    })
    expect(code).toBe(0)
  })

  it('knows only contacts', async () => {
    const { code, stderr } = await kith(['message', 'send', 'carol', 'hi'])
    expect(code).toBe(5)
    expect(stderr).toBe('kith: There is no contact called "carol".\n  try: kith contact list\n')
  })

  it('is stored and said to be so when interrupted while waiting', async () => {
    alice.reach = 'queued'
    const interruption = new AbortController()
    const going = kith(['message', 'send', 'bob', 'x', '--wait', 'delivered'], {
      signal: interruption.signal
    })
    await expect.poll(() => alice.messages.length).toBe(1)
    interruption.abort()
    const { code, stderr } = await going
    expect(code).toBe(130)
    expect(stderr).toContain('The message is stored and will be sent')
  })
})

describe('message list', () => {
  it('shows both sides in order with states, and the day', async () => {
    alice.reach = 'accepted'
    alice.send('bob', 'hello')
    alice.receive(bob, 'hi alice')
    await expect.poll(() => alice.messages[0]?.state).toBe('accepted')
    const { stdout } = await kith(['message', 'list', 'bob'])
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^-- 2026-01-0[123] --$/),
      expect.stringMatching(/^\d\d:\d\d ✓ {2}alice: hello {2}\(accepted by 1 relay\)$/),
      expect.stringMatching(/^\d\d:\d\d bob: hi alice$/),
      ''
    ])
  })

  it('prints a line of JSON for each message', async () => {
    alice.receive(bob, 'a\u009B\u202Eb')
    const { stdout, json } = await kith(['message', 'list', 'bob', '--json'])
    expect(stdout).not.toMatch(/[\u009B\u202E]/u)
    expect(json()).toEqual([expect.objectContaining({ text: 'a\u009B\u202Eb', sender: 'bob' })])
  })

  it('lets no message pose as another one or as the program', async () => {
    alice.receive(bob, 'hi\n12:00 ✓✓ alice: I owe you 100\r\u001B[1A\u2028x')
    const { stdout } = await kith(['message', 'list', 'bob'])
    const lines = stdout.trimEnd().split('\n').slice(1)
    expect(lines[0]).toMatch(/^\d\d:\d\d bob: hi$/)
    for (const line of lines.slice(1)) expect(line).toMatch(/^ {6}│ /)
    expect(stdout.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
  })

  it('shows as many as asked', async () => {
    for (let index = 1; index <= 5; index++) alice.receive(bob, `m${index}`)
    const { json } = await kith(['message', 'list', 'bob', '--limit', '2', '--json'])
    expect(json()).toEqual([
      expect.objectContaining({ text: 'm4' }),
      expect.objectContaining({ text: 'm5' })
    ])
  })
})

describe('message watch', () => {
  it('prints events as lines of JSON from "ready" on, until it is interrupted', async () => {
    const interruption = new AbortController()
    let seen = ''
    const going = kith(['message', 'watch', '--json'], {
      signal: interruption.signal,
      onOutput: (stdout) => {
        seen = stdout
      }
    })
    await expect.poll(() => seen).toContain('{"type":"ready"}\n')
    alice.receive(bob, 'ping')
    await expect.poll(() => seen).toContain('ping')
    interruption.abort()
    const { code, json } = await going
    expect(code).toBe(0)
    expect(json()).toEqual([
      { type: 'ready' },
      { type: 'message', message: expect.objectContaining({ text: 'ping', sender: 'bob' }) }
    ])
    expect(alice.listenerCount).toBe(0)
  })

  it('prints each message once, though listing and listening both see it', async () => {
    const interruption = new AbortController()
    let seen = ''
    const going = kith(['message', 'watch', '--json'], {
      signal: interruption.signal,
      onOutput: (stdout) => {
        seen = stdout
        // The first moment at which a listing and an event can both hold it.
        if (stdout === '{"type":"ready"}\n') alice.receive(bob, 'early')
      }
    })
    await expect.poll(() => seen).toContain('early')
    alice.receive(bob, 'late')
    await expect.poll(() => seen).toContain('late')
    interruption.abort()
    expect((await going).json()).toHaveLength(3)
  })
})

describe('colours', () => {
  it('appear on a terminal only, and not with NO_COLOR', async () => {
    alice.receive(bob, 'x')
    const list = ['message', 'list', 'bob']
    expect((await kith(list)).stdout).not.toContain('\u001B')
    expect((await kith(list, { isTerminal: true })).stdout).toContain('\u001B[36mbob\u001B[39m')
    const env = { NO_COLOR: '1' }
    expect((await kith(list, { isTerminal: true, env })).stdout).not.toContain('\u001B')
  })
})

/** A person at a terminal who types these, one after the other. */
function answers(...typed: string[]): SecretSource {
  const left = [...typed]
  return { given: async () => undefined, ask: async () => left.shift() }
}
