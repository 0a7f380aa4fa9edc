import { beforeEach, describe, expect, it } from 'vitest'
import { type MemoryPerson, MemoryWorld } from '../memory-engine.ts'
import { DIGITS } from '../memory-strangers.ts'
import { type RunOptions, run, temporaryHome } from '../run.ts'

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
})

const kith = (argv: readonly string[], options: Partial<RunOptions> = {}) =>
  run(argv, { home, engine: world, ...options })

/** Somebody who calls himself so has written. */
function asks(name: string, text: string | undefined): string {
  const { account } = world.person(`/${name}`, name)
  const shown = `~${name}-${account.slice(0, 8)}`
  alice.strangers.requests.push({ account, name: shown, text, atMs: Date.UTC(2026, 0, 2, 12, 0) })
  return account
}

describe('contact requests', () => {
  it('lists who wrote, when and what, one below the other', async () => {
    const account = asks('eve', 'hi\nhow are you?')
    const { code, stdout } = await kith(['contact', 'requests'])
    expect(code).toBe(0)
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(new RegExp(`^~eve-${account.slice(0, 8)} {2}${account} {2}2026-01-0`)),
      '  │ hi',
      '  │ how are you?',
      ''
    ])
    expect((await kith(['contact', 'requests', '--json'])).json()).toMatchObject([{ account }])
  })

  it('lets no name and no text out of their lines, nor at the terminal', async () => {
    asks('eve\u001B[2J\u202E\n~bob', 'x\r\u001B[1A\u2028accepted bob')
    const { stdout } = await kith(['contact', 'requests'])
    expect(stdout.trimEnd().split('\n')).toHaveLength(3)
    expect(stdout.trimEnd().split('\n')[2]).toBe('  │ accepted bob')
    expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u)
  })

  it('says when there are none, and when somebody has written nothing yet', async () => {
    expect((await kith(['contact', 'requests'])).stdout).toBe('no requests\n')
    asks('eve', undefined)
    expect((await kith(['contact', 'requests'])).stdout).toContain('no text yet')
  })

  it('are accepted, under a name of choice, or ignored', async () => {
    const eve = asks('eve', 'hi')
    const mallory = asks('mallory', 'hi')
    const accepted = await kith(['contact', 'accept', eve.slice(0, 8), '--name', 'evelyn'])
    expect([accepted.code, accepted.stdout]).toEqual([0, `accepted evelyn  ${eve}\n`])
    expect((await kith(['contact', 'ignore', mallory])).stdout).toMatch(/^ignored ~mallory-/)
    expect((await kith(['contact', 'requests'])).stdout).toBe('no requests\n')
    const again = await kith(['contact', 'accept', eve])
    expect([again.code, again.stdout]).toEqual([5, ''])
    expect(again.stderr).toContain('has no open request')
  })

  it.each([['~x'], [''], ['a\u202Eb'], ['x'.repeat(65)]])(
    'are not accepted under the name %j',
    async (name) => {
      const eve = asks('eve', 'hi')
      expect((await kith(['contact', 'accept', eve, '--name', name])).code).toBe(2)
      expect(alice.strangers.requests).toHaveLength(1)
    }
  )

  it('are told of while messages are watched', async () => {
    const interruption = new AbortController()
    let seen = ''
    const onOutput = (stdout: string) => {
      seen = stdout
    }
    const going = kith(['message', 'watch'], { signal: interruption.signal, onOutput })
    await expect.poll(() => alice.listenerCount).toBe(1)
    const account = asks('eve', 'hi')
    const [request] = alice.strangers.requests
    if (request !== undefined) alice.emit({ type: 'request', request })
    await expect.poll(() => seen).toContain(`kith contact accept ${account.slice(0, 8)}`)
    interruption.abort()
    expect((await going).code).toBe(0)
  })
})

describe('contact block', () => {
  it('takes a contact off the list and puts it on another, until it is unblocked', async () => {
    const blocked = await kith(['contact', 'block', 'bob'])
    expect([blocked.code, blocked.stdout, blocked.stderr]).toEqual([
      0,
      `blocked bob  ${bob.account}\n`,
      ''
    ])
    expect((await kith(['contact', 'list'])).stdout).toContain('no contacts yet')
    expect((await kith(['contact', 'list', '--blocked'])).stdout).toBe(`bob  ${bob.account}\n`)
    expect((await kith(['contact', 'unblock', 'bob', '--json'])).json()).toMatchObject([
      { name: 'bob', isBlocked: false, relaysTold: 1 }
    ])
    expect((await kith(['contact', 'list', '--blocked'])).stdout).toBe('nobody is blocked\n')
  })

  it('says when no relay could be told yet', async () => {
    alice.strangers.relaysTold = 0
    const { code, stderr } = await kith(['contact', 'block', 'bob'])
    expect(code).toBe(0)
    expect(stderr).toContain('your relay learns it when it is reached')
  })
})

describe('contact verify', () => {
  it('shows the digits in groups and the lists of devices', async () => {
    const { code, stdout } = await kith(['contact', 'verify', 'bob'])
    expect(code).toBe(0)
    expect(stdout.split('\n')).toEqual([
      'safety number with bob',
      '  01234 56789 01234 56789',
      '  01234 56789 01234 56789',
      '  01234 56789 01234 56789',
      'devices: 2 of bob: 0123 4567 89ab cdef, 1 of yours: fedc ba98 7654 3210',
      ''
    ])
  })

  it('marks the contact when the digits are right, and says so in lists', async () => {
    const spaced = DIGITS.match(/.{5}/g)?.join(' ') ?? ''
    const { code, stdout } = await kith(['contact', 'verify', 'bob', '--confirm', spaced])
    expect([code, stdout]).toEqual([0, `✓ verified bob  ${bob.account}\n`])
    expect((await kith(['contact', 'list'])).stdout).toBe(`bob  ${bob.account}  ✓ verified\n`)
    expect((await kith(['contact', 'verify', 'bob'])).stdout).toMatch(/^.* bob {2}✓ verified\n/)
  })

  it('refuses other digits with an exit code of its own', async () => {
    const { code, stderr } = await kith(['contact', 'verify', 'bob', '--confirm', '1'.repeat(60)])
    expect(code).toBe(6)
    expect(stderr).toContain('not your safety number')
  })
})

describe('notices of a conversation', () => {
  it('stand between its messages by time, and name nobody who could write at the terminal', async () => {
    alice.receive(bob, 'before')
    await new Promise((resolve) => setTimeout(resolve, 5))
    const [first] = alice.messages
    const text = 'bob\u001B[2J added a device (12D3…abcdef)'
    const conversation = alice.conversationWith(bob.account)
    alice.notices.push({ conversation, atMs: (first?.storedAtMs ?? 0) + 1, text })
    alice.receive(bob, 'after')
    const { stdout } = await kith(['message', 'list', 'bob'])
    expect(stdout.split('\n').slice(1, 4)).toEqual([
      expect.stringMatching(/bob: before$/),
      '-- bob␛[2J added a device (12D3…abcdef) --',
      expect.stringMatching(/bob: after$/)
    ])
    const chat = await kith(['chat', 'bob', '--history', '10'])
    expect(chat.stdout).toContain('added a device')
    expect((await kith(['message', 'list', 'bob', '--json'])).json()[1]).toMatchObject({
      type: 'notice',
      notice: { text }
    })
  })

  it('are printed in an open chat as they come, those of this conversation only', async () => {
    const conversation = alice.conversationWith(bob.account)
    const device = (await kith(['account', 'show', '--json'])).json()[0] as { device: never }
    let seen = ''
    const onOutput = (stdout: string) => {
      seen = stdout
    }
    const interruption = new AbortController()
    async function* waiting(): AsyncIterable<Uint8Array> {
      await new Promise((resolve) => interruption.signal.addEventListener('abort', resolve))
    }
    const going = kith(['chat', 'bob'], {
      stdin: waiting(),
      signal: interruption.signal,
      onOutput
    })
    await expect.poll(() => alice.listenerCount).toBe(1)
    const elsewhere = 'x'.repeat(52) as typeof conversation
    const tell = (where: typeof conversation, text: string) =>
      alice.emit({ type: 'devices', conversation: where, text, device: device.device })
    tell(elsewhere, 'carol added a device')
    tell(conversation, 'bob added a device')
    await expect.poll(() => seen).toContain('-- bob added a device --')
    expect(seen).not.toContain('carol')
    interruption.abort()
    await going
  })
})
