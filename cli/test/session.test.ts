import { once } from 'node:events'
import { rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../src/clock.ts'
import type { Session } from '../src/command.ts'
import type { Engine } from '../src/engine.ts'
import { openSession, type SessionInit } from '../src/session.node.ts'
import { type MemoryPerson, MemoryWorld } from './memory-engine.ts'
import { noSecrets, run, silentLog, temporaryHome } from './run.ts'
import { hostOf } from './socket/host.ts'

let home: string
let world: MemoryWorld
let alice: MemoryPerson
let bob: MemoryPerson
const sessions: Session[] = []
const warnings: string[] = []

beforeEach(async () => {
  home = await temporaryHome()
  world = new MemoryWorld()
  alice = world.person(home, 'alice')
  bob = world.person('/bob', 'bob')
  alice.addContact(bob)
  warnings.length = 0
})

afterEach(async () => {
  for (const session of sessions.splice(0).reverse()) await session.close()
})

async function open(options: Partial<SessionInit> = {}): Promise<Session> {
  const session = await openSession({
    ...hostOf(undefined as never),
    home,
    engine: async () => world,
    secrets: noSecrets,
    clock: systemClock,
    log: silentLog,
    signal: new AbortController().signal,
    onWarning: (message) => warnings.push(message),
    ...options
  })
  sessions.push(session)
  return session
}

describe('a session', () => {
  it('holds the store when nobody does, and serves it to the next', async () => {
    const first = await open()
    const second = await open({ engine: () => Promise.reject(new Error('loaded')) })
    expect([first.isHolder, second.isHolder]).toEqual([true, false])
    expect(await second.api.account()).toEqual(alice.view())
  })

  it('lets commands work while a chat is open', async () => {
    await open()
    const sent = await run(
      ['message', 'send', 'bob', 'from another terminal', '--wait', 'delivered'],
      {
        home,
        engine: world
      }
    )
    expect([sent.code, sent.stderr]).toEqual([0, ''])
    expect(bob.messages[0]?.text).toBe('from another terminal')
  })

  it('replaces the socket file of a process that died', async () => {
    await writeFile(join(home, 'kith.sock'), '')
    expect((await open()).isHolder).toBe(true)
    expect((await open()).isHolder).toBe(false)
  })

  it('removes the socket before it gives the store back', async () => {
    const session = await open()
    await session.close()
    expect(alice.isHeld).toBe(false)
    await expect(stat(join(home, 'kith.sock'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('waits for a holder that is just ending', async () => {
    alice.isHeld = true
    const opening = open()
    setTimeout(() => {
      alice.isHeld = false
    }, 150)
    expect((await opening).isHolder).toBe(true)
  })

  it('joins a holder whose socket appears late', async () => {
    alice.isHeld = true
    const opening = open()
    alice.isHeld = false
    const holder = await open()
    const late = await opening
    expect([holder.isHolder, late.isHolder].sort()).toEqual([false, true])
  })

  it('names the holder when the store stays in use', async () => {
    alice.isHeld = true
    let nowMs = 0
    const clock = {
      now: () => nowMs,
      schedule: (delayMs: number, callback: () => void) => {
        nowMs += delayMs
        queueMicrotask(callback)
        return () => undefined
      }
    }
    await expect(open({ clock })).rejects.toMatchObject({
      code: 'store-in-use',
      message: expect.stringContaining('process 4711')
    })
    expect(nowMs).toBeGreaterThanOrEqual(3_000)
  })

  it('works alone when the socket cannot be served, and says so', async () => {
    await rm(home, { recursive: true })
    const session = await open()
    expect(await session.api.account()).toEqual(alice.view())
    expect(warnings).toEqual([expect.stringContaining('Other kith commands cannot join')])
  })

  it('asks for a passphrase once, though it opens twice', async () => {
    alice = world.person(home, 'alice', { passphrase: 'x' })
    const holder = await open({ secrets: { given: async () => 'x', ask: async () => undefined } })
    let asked = 0
    const secrets = { given: async () => undefined, ask: async () => `${'x'.repeat(++asked)}` }
    const session = await open({ secrets })
    expect(asked).toBe(0)
    await holder.close()
    expect(await session.api.account()).toMatchObject({ name: 'alice' })
    expect(asked).toBe(1)
  })
})

describe('when the holder ends', () => {
  it('the next opens the store itself and goes on', async () => {
    const [first, second] = [await open(), await open()]
    await first.close()
    expect(await second.api.listContacts()).toHaveLength(1)
    expect(second.isHolder).toBe(true)
    await second.api.sendMessage({ to: 'bob', text: 'still here' })
    expect(alice.messages).toHaveLength(1)
  })

  it('a stream of events goes on, and its listener is told to look for what it missed', async () => {
    const [first, second] = [await open(), await open()]
    const ending = new AbortController()
    const texts: string[] = []
    let reopened = 0
    second.onReopened(() => {
      reopened++
    })
    const following = (async () => {
      for await (const event of second.api.events(ending.signal)) {
        if (event.type === 'message') texts.push(event.message.text)
      }
    })()
    await expect.poll(() => alice.listenerCount).toBe(1)
    alice.receive(bob, 'before')
    await expect.poll(() => texts).toEqual(['before'])
    await first.close()
    await expect.poll(() => reopened).toBe(1)
    alice.receive(bob, 'after')
    await expect.poll(() => texts).toEqual(['before', 'after'])
    ending.abort()
    await following
  })

  it('repeats a question, but never a message whose fate is unknown', async () => {
    // A holder that dies at the request, after taking it.
    let requests = 0
    const dying = createServer((socket) => {
      socket.on('data', (chunk) => {
        const { id, method } = JSON.parse(String(chunk))
        if (method === 'hello') {
          socket.write(`${JSON.stringify({ jsonrpc: '2.0', id, result: { version: 1 } })}\n`)
        } else {
          requests++
          socket.destroy()
          dying.close()
        }
      })
    })
    const listening = async () => {
      dying.listen(join(home, 'kith.sock'))
      await once(dying, 'listening')
    }
    await listening()
    const asking = await open()
    expect(await asking.api.account()).toEqual(alice.view())
    expect(requests).toBe(1)
    await asking.close()

    await listening()
    const sending = await open()
    await expect(sending.api.sendMessage({ to: 'bob', text: 'x' })).rejects.toMatchObject({
      code: 'connection-lost',
      message: expect.stringContaining('is unknown'),
      hint: 'kith message list <who>'
    })
    expect(alice.messages).toHaveLength(0)
  })

  it('a message that was not taken is sent by the next', async () => {
    const [first, second] = [await open(), await open()]
    const closing = first.close()
    const sent = await second.api.sendMessage({ to: 'bob', text: 'x' })
    await closing
    expect(sent.text).toBe('x')
    expect(alice.messages).toHaveLength(1)
  })
})

describe('an engine that fails', () => {
  it('fails the command with its own words, and leaves no socket', async () => {
    const engine: Engine = {
      createAccount: () => Promise.reject(new Error('unused')),
      linkDevice: () => Promise.reject(new Error('unused')),
      checkEvidence: () => false,
      openMessenger: () =>
        Promise.reject(Object.assign(new Error('The store is damaged.'), { code: 'store-damaged' }))
    }
    await expect(open({ engine: async () => engine })).rejects.toMatchObject({
      code: 'store-damaged'
    })
    await expect(stat(join(home, 'kith.sock'))).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
