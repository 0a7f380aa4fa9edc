import { beforeEach, describe, expect, it } from 'vitest'
import { type MemoryPerson, MemoryWorld } from '../memory-engine.ts'
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
  bob.addContact(alice)
})

const chat = (extra: readonly string[], options: Partial<RunOptions> = {}) =>
  run(['chat', 'bob', ...extra], { home, engine: world, ...options })

/** Standard input that a test writes to and ends. */
function pipe() {
  const chunks: Uint8Array[] = []
  let isOver = false
  let wake = (): void => undefined
  return {
    write(text: string) {
      chunks.push(Buffer.from(text))
      wake()
    },
    end() {
      isOver = true
      wake()
    },
    async *[Symbol.asyncIterator]() {
      while (true) {
        for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift()) yield chunk
        if (isOver) return
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  }
}

describe('a piped chat', () => {
  it('sends every line, prints each once as delivered, and ends with 0', async () => {
    const { code, stdout, stderr } = await chat([], { stdin: ['one\ntwo\r\n\n  \nthr', 'ee 👩‍🚀'] })
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^\d\d:\d\d ✓✓ alice: one {2}\(delivered, direct\)$/),
      expect.stringMatching(/alice: two /),
      expect.stringMatching(/alice: three 👩‍🚀 /),
      ''
    ])
    expect(bob.messages.map(({ text }) => text)).toEqual(['one', 'two', 'three 👩‍🚀'])
  })

  it('prints a question before its answer, though the answer comes before the receipt', async () => {
    const stdin = pipe()
    alice.reach = 'accepted'
    const going = chat([], { stdin })
    stdin.write('question\n')
    await expect.poll(() => alice.messages[0]?.state).toBe('accepted')
    alice.receive(bob, 'answer')
    alice.update(1, { state: 'delivered' })
    stdin.end()
    const { stdout } = await going
    expect(stdout.indexOf('question')).toBeLessThan(stdout.indexOf('answer'))
  })

  it('shows what arrives while it is open, of this contact only', async () => {
    const stdin = pipe()
    let seen = ''
    const going = chat([], {
      stdin,
      onOutput: (stdout) => {
        seen = stdout
      }
    })
    await expect.poll(() => alice.listenerCount).toBe(1)
    alice.receive({ account: 'x'.repeat(52) as never, name: 'eve' }, 'from eve')
    alice.receive(bob, 'from bob\u001B[2J')
    await expect.poll(() => seen).toContain('bob: from bob␛[2J')
    stdin.end()
    expect((await going).stdout).not.toContain('eve')
  })

  it('gives up waiting after the time-out, says so, and still ends with 0', async () => {
    alice.reach = 'accepted'
    const { code, stdout, stderr } = await chat(['--timeout', '0'], { stdin: ['a\nb\n'] })
    expect(code).toBe(0)
    expect(stdout.match(/\n/g)).toHaveLength(2)
    expect(stderr).toContain('2 messages are not known to be delivered; stored here')
  })

  it('stays for answers as long as asked', async () => {
    const going = chat(['--linger', '1'], { stdin: ['ping\n'] })
    await expect.poll(() => alice.messages[0]?.state).toBe('delivered')
    alice.receive(bob, 'pong')
    expect((await going).stdout).toContain('bob: pong')
  })

  it('refuses a line, sends the others, and ends with 2', async () => {
    const stdin = [
      'ok 1\n',
      'a\0b\n',
      `${'x'.repeat(16_385)}\n`,
      Uint8Array.of(0xff, 0x0a),
      'ok 2\n'
    ]
    const { code, stderr } = await chat([], { stdin })
    expect(code).toBe(2)
    expect(stderr.match(/^kith: .*Nothing was sent\.$/gm)).toHaveLength(3)
    expect(bob.messages.map(({ text }) => text)).toEqual(['ok 1', 'ok 2'])
  })

  it('ends in order at Ctrl-C, with what was sent and its state', async () => {
    alice.reach = 'queued'
    const interruption = new AbortController()
    const stdin = pipe()
    const going = chat([], { stdin, signal: interruption.signal })
    stdin.write('waiting\n')
    await expect.poll(() => alice.messages).toHaveLength(1)
    interruption.abort()
    const { code, stdout } = await going
    expect(code).toBe(0)
    expect(stdout).toMatch(/○ {2}alice: waiting {2}\(queued: no relay is reached\)/)
    expect(alice.isHeld).toBe(false)
    expect(alice.listenerCount).toBe(0)
  })

  it('prints events and a last line for programs', async () => {
    const { json } = await chat(['--json'], { stdin: ['hi\n'] })
    const lines = json() as { type: string; message?: { state: string } }[]
    expect(lines.map(({ type, message }) => message?.state ?? type)).toEqual([
      'queued',
      'accepted',
      'delivered',
      'end'
    ])
    expect(lines.at(-1)).toEqual({ type: 'end', sent: 1, delivered: 1, pending: 0 })
  })

  it('takes what was stored before the clock was set back for history, not for news', async () => {
    alice.receive(bob, 'old')
    const [stored] = alice.messages
    if (stored === undefined) throw new Error('nothing was stored')
    alice.messages[0] = { ...stored, storedAtMs: Date.now() + 10 * 365 * 24 * 3_600_000 }
    expect((await chat([])).stdout).not.toContain('old')
    expect((await chat(['--history', '1'])).stdout).toMatch(/^\d\d:\d\d bob: old\n$/)
  })

  it('shows as much of the past as asked', async () => {
    alice.receive(bob, 'old 1')
    alice.receive(bob, 'old 2')
    // What is stored in the millisecond in which the chat opens counts as new.
    await expect.poll(() => Date.now()).toBeGreaterThan(alice.messages[1]?.storedAtMs ?? 0)
    expect((await chat([])).stdout).toBe('')
    expect((await chat(['--history', '1'])).stdout).toMatch(/^\d\d:\d\d bob: old 2\n$/)
  })

  it('knows only contacts', async () => {
    const { code, stderr } = await run(['chat', 'nobody'], { home, engine: world })
    expect(code).toBe(5)
    expect(stderr).toContain('kith contact list')
  })

  it('goes on when the process that held the store ends', async () => {
    const [first, second] = [pipe(), pipe()]
    const holder = chat([], { stdin: first })
    await expect.poll(() => alice.listenerCount).toBe(1)
    const joined = chat([], { stdin: second })
    await expect.poll(() => alice.listenerCount).toBe(2)
    second.write('one\n')
    await expect.poll(() => bob.messages).toHaveLength(1)
    first.end()
    expect((await holder).code).toBe(0)
    second.write('two\n')
    await expect.poll(() => bob.messages).toHaveLength(2)
    second.end()
    const { code, stdout } = await joined
    expect(code).toBe(0)
    expect(stdout).toMatch(/✓✓ alice: one .*\n.*✓✓ alice: two /)
  })
})
