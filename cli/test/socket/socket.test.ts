import { once } from 'node:events'
import { stat, writeFile } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { UserError } from '@kith/node'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { type Connection, connectSocket } from '../../src/socket/client.node.ts'
import { type SocketPlace, socketPlace } from '../../src/socket/path.node.ts'
import { EVENTS_QUEUED_MAX, REQUEST_BYTES_MAX } from '../../src/socket/served-client.node.ts'
import { CLIENTS_MAX, type SocketServer, serveSocket } from '../../src/socket/server.node.ts'
import { type MemoryPerson, MemoryWorld } from '../memory-engine.ts'
import { temporaryHome } from '../run.ts'
import { hostOf } from './host.ts'

let place: SocketPlace
let alice: MemoryPerson
let bob: MemoryPerson
let server: SocketServer
const opened: { destroy(): void }[] = []

beforeEach(async () => {
  const home = await temporaryHome()
  const world = new MemoryWorld()
  alice = world.person(home, 'alice')
  bob = world.person('/bob', 'bob')
  alice.addContact(bob)
  place = socketPlace(home)
  server = await serveSocket({ place, host: hostOf(alice.api()) })
})

afterEach(async () => {
  for (const one of opened.splice(0)) one.destroy()
  await server.close()
})

const signal = new AbortController().signal

async function client(): Promise<Connection> {
  const connection = await connectSocket(place, { clock: systemClock, signal })
  if (connection === undefined) throw new Error('nobody serves')
  opened.push({ destroy: () => connection.close() })
  return connection
}

/** A connection as a script would make it; `lines` resolves with the next answer. */
async function raw(): Promise<{ socket: Socket; line: () => Promise<Record<string, unknown>> }> {
  const socket = connect(place.path)
  opened.push(socket)
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk
  })
  return {
    socket,
    async line() {
      await expect.poll(() => text).toContain('\n')
      const end = text.indexOf('\n')
      const first = text.slice(0, end)
      text = text.slice(end + 1)
      return JSON.parse(first)
    }
  }
}

const request = (id: number | string, method: string, params?: object) =>
  `${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`

describe('the socket', () => {
  it('is for its owner alone', async () => {
    expect((await stat(place.path)).mode & 0o777).toBe(0o600)
  })

  it('carries every method of the messenger', async () => {
    const { api } = await client()
    expect(await api.account()).toEqual(alice.view())
    expect(await api.status()).toMatchObject({ queued: 0 })
    expect(await api.addContact({ link: bob.link, name: 'bobby' })).toMatchObject({ name: 'bobby' })
    expect(await api.listContacts()).toHaveLength(2)
    expect(await api.sendMessage({ to: 'bob', text: 'שלום\n👩‍🚀\u009B' })).toMatchObject({
      text: 'שלום\n👩‍🚀\u009B',
      state: 'queued'
    })
    const { messages } = await api.listMessages({ with: 'bob', limit: 5 })
    expect(messages).toHaveLength(1)
  })

  it('carries failures with code and hint', async () => {
    const { api } = await client()
    const failure = new UserError('unknown-contact', 'There is no contact called "x".', {
      hint: 'kith contact list'
    })
    await expect(api.sendMessage({ to: 'x', text: 'y' })).rejects.toMatchObject({
      code: failure.code,
      message: failure.message,
      hint: failure.hint
    })
  })

  it('serves two clients, each with its own events', async () => {
    const [one, two] = [await client(), await client()]
    const ending = new AbortController()
    const seen = [one, two].map(async ({ api }) => {
      for await (const event of api.events(ending.signal)) return event
      return undefined
    })
    await expect.poll(() => alice.listenerCount).toBe(2)
    alice.receive(bob, 'both')
    const events = await Promise.all(seen)
    for (const event of events) expect(event).toMatchObject({ message: { text: 'both' } })
    await expect.poll(() => alice.listenerCount).toBe(0)
  })

  it('delivers every state of a message that was sent after subscribing', async () => {
    const { api } = await client()
    const events = api.events(signal)[Symbol.asyncIterator]()
    const first = events.next()
    await api.sendMessage({ to: 'bob', text: 'x' })
    const types = [(await first).value, (await events.next()).value, (await events.next()).value]
    expect(types.map((event) => event.message.state)).toEqual(['queued', 'accepted', 'delivered'])
  })

  it('frees what a client held when it leaves', async () => {
    const { api, close } = await client()
    void api
      .events(signal)
      [Symbol.asyncIterator]()
      .next()
      .catch(() => undefined)
    await expect.poll(() => alice.listenerCount).toBe(1)
    close()
    await expect.poll(() => alice.listenerCount).toBe(0)
  })

  it('answers a script that ends its half after asking', async () => {
    const { socket, line } = await raw()
    const closed = once(socket, 'close')
    socket.end(request(1, 'account') + request('b', 'listContacts'))
    expect(await line()).toMatchObject({ id: 1, result: { name: 'alice' } })
    expect(await line()).toMatchObject({ id: 'b', result: [{ name: 'bob' }] })
    await closed
  })

  it('answers requests in pieces of any size', async () => {
    const { socket, line } = await raw()
    for (const byte of Buffer.from(request(7, 'account'))) {
      socket.write(Uint8Array.of(byte))
      await turn()
    }
    expect(await line()).toMatchObject({ id: 7 })
  })
})

describe('rubbish on the socket', () => {
  it.each([
    ['not JSON', 'hello\n', -32700],
    ['not UTF-8', Buffer.from([0x22, 0xff, 0x22, 0x0a]), -32700],
    ['an empty line', '\n', -32700],
    ['not a request', '{"id":1}\n', -32600],
    ['a batch', `[${request(1, 'account').trim()}]\n`, -32600],
    ['positional parameters', '{"jsonrpc":"2.0","id":1,"method":"account","params":[1]}\n', -32600],
    ['an id that is an object', '{"jsonrpc":"2.0","id":{},"method":"account"}\n', -32600],
    ['an unknown method', request(1, 'constructor'), -32601],
    ['a missing parameter', request(1, 'sendMessage', { to: 'bob' }), -32602],
    ['an unknown parameter', request(1, 'account', { x: 1 }), -32602],
    [
      'a prototype',
      '{"jsonrpc":"2.0","id":1,"method":"account","params":{"__proto__":{"x":1}}}\n',
      -32602
    ],
    ['a parameter of another type', request(1, 'sendMessage', { to: 'bob', text: 5 }), -32602],
    ['a limit out of bounds', request(1, 'listMessages', { with: 'bob', limit: 1001 }), -32602],
    ['a limit that is no number', request(1, 'listMessages', { with: 'bob', limit: null }), -32602],
    ['an empty message', request(1, 'sendMessage', { to: 'bob', text: ' ' }), -32000],
    ['NUL', request(1, 'sendMessage', { to: 'bob', text: 'a\0' }), -32000],
    ['half a character', request(1, 'sendMessage', { to: 'bob', text: 'a\uD800' }), -32000],
    [
      'a text over 16 KiB',
      request(1, 'sendMessage', { to: 'bob', text: 'x'.repeat(16_385) }),
      -32000
    ],
    [
      'a direction control in a name',
      request(1, 'addContact', { link: 'x', name: 'a\u202E' }),
      -32000
    ]
  ])('%s is answered with an error, and the connection stays', async (_, bytes, code) => {
    const { socket, line } = await raw()
    socket.write(bytes)
    expect(await line()).toMatchObject({ error: { code } })
    socket.write(request(2, 'account'))
    expect(await line()).toMatchObject({ id: 2, result: { name: 'alice' } })
    expect(alice.messages).toEqual([])
    expect(({} as { x?: number }).x).toBeUndefined()
  })

  it('ends a client whose line is too long, and nobody else', async () => {
    const other = await client()
    const { socket, line } = await raw()
    const closed = once(socket, 'close')
    socket.write(Buffer.alloc(REQUEST_BYTES_MAX + 2, 'x'))
    socket.write('\n')
    expect(await line()).toMatchObject({ error: { code: -32600 } })
    await closed
    expect(await other.api.account()).toMatchObject({ name: 'alice' })
  })

  it('does not answer notifications', async () => {
    const { socket, line } = await raw()
    socket.write('{"jsonrpc":"2.0","method":"account"}\n')
    socket.write(request(1, 'status'))
    expect(await line()).toMatchObject({ id: 1 })
  })

  it('disconnects a client that does not read its events, and nobody else', async () => {
    const other = await client()
    const { socket } = await raw()
    socket.write(request(1, 'events'))
    await expect.poll(() => alice.listenerCount).toBe(1)
    socket.removeAllListeners('data')
    socket.pause()
    const closed = once(socket, 'close')
    const text = 'x'.repeat(16_000)
    for (let count = 0; count < EVENTS_QUEUED_MAX * 2 && alice.listenerCount > 0; count++) {
      alice.receive(bob, text)
      await turn()
    }
    expect(alice.listenerCount).toBe(0)
    socket.resume()
    await closed
    expect(await other.api.account()).toMatchObject({ name: 'alice' })
  })

  it('takes a bounded number of clients and tells the next one', async () => {
    for (let count = 0; count < CLIENTS_MAX; count++) await client()
    await expect(connectSocket(place, { clock: systemClock, signal })).rejects.toMatchObject({
      code: 'overloaded'
    })
  })

  it('carries out a bounded number of requests of one client at a time', async () => {
    let running = 0
    let most = 0
    const api = {
      ...alice.api(),
      account: async () => {
        most = Math.max(most, ++running)
        await turn()
        running--
        return alice.view()
      }
    }
    await server.close()
    server = await serveSocket({ place, host: hostOf(api) })
    const { socket, line } = await raw()
    socket.write(Array.from({ length: 100 }, (_, id) => request(id, 'account')).join(''))
    const ids = new Set<unknown>()
    for (let count = 0; count < 100; count++) ids.add((await line()).id)
    expect(ids.size).toBe(100)
    expect(most).toBe(32)
  })
})

describe('the end of the server', () => {
  it('answers what it is carrying out, then closes, and removes the file', async () => {
    const { api } = await client()
    const answer = api.listContacts()
    await turn()
    await server.close()
    expect(await answer).toHaveLength(1)
    await expect(stat(place.path)).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(api.account()).rejects.toMatchObject({ code: 'connection-lost', isUndone: true })
  })

  it('fails the events of clients, so that they open again', async () => {
    const { api } = await client()
    const next = api.events(signal)[Symbol.asyncIterator]().next()
    const failed = expect(next).rejects.toMatchObject({ code: 'connection-lost' })
    await expect.poll(() => alice.listenerCount).toBe(1)
    await server.close()
    await failed
  })

  it('does not wait for ever for a client that hangs', async () => {
    const { socket } = await raw()
    socket.pause()
    socket.write(request(1, 'events'))
    await expect.poll(() => alice.listenerCount).toBe(1)
    await server.close()
    await expect(stat(place.path)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('finding a server', () => {
  it('finds nobody where there is no file, a plain file, or one left behind', async () => {
    await server.close()
    expect(await connectSocket(place, { clock: systemClock, signal })).toBeUndefined()
    await writeFile(place.path, '')
    expect(await connectSocket(place, { clock: systemClock, signal })).toBeUndefined()
    server = await serveSocket({ place, host: hostOf(alice.api()) })
    expect(await client()).toBeDefined()
  })

  it('gives up on a holder that does not answer, and says so', async () => {
    await server.close()
    const silent = createServer((socket) => socket.resume()).listen(place.path)
    await once(silent, 'listening')
    let expire: (() => void) | undefined
    const clock = {
      now: () => 0,
      schedule: (_: number, callback: () => void) => {
        expire = callback
        return () => undefined
      }
    }
    const refused = connectSocket(place, { clock, signal })
    const failed = expect(refused).rejects.toMatchObject({
      code: 'store-in-use',
      message: expect.stringContaining('does not answer')
    })
    await expect.poll(() => expire).toBeDefined()
    expire?.()
    await failed
    await new Promise((resolve) => silent.close(resolve))
  })

  it('refuses a server of another version', async () => {
    await server.close()
    const other = createServer((socket) => {
      socket.once('data', () => socket.write('{"jsonrpc":"2.0","id":1,"result":{"version":2}}\n'))
    }).listen(place.path)
    await once(other, 'listening')
    await expect(connectSocket(place, { clock: systemClock, signal })).rejects.toMatchObject({
      code: 'socket-version'
    })
    await new Promise((resolve) => other.close(resolve))
  })

  it('takes a private folder for a home whose path is too long', async () => {
    const home = join(await temporaryHome(), 'x'.repeat(120))
    const long = socketPlace(home)
    expect(long.isForeign).toBe(true)
    expect(Buffer.byteLength(long.bindPath)).toBeLessThanOrEqual(103)
    expect(socketPlace(home)).toEqual(long)
    expect(await connectSocket(long, { clock: systemClock, signal })).toBeUndefined()
    const served = await serveSocket({ place: long, host: hostOf(alice.api()) })
    expect((await stat(join(long.path, '..'))).mode & 0o777).toBe(0o700)
    const connection = await connectSocket(long, { clock: systemClock, signal })
    expect(await connection?.api.account()).toMatchObject({ name: 'alice' })
    connection?.close()
    await served.close()
  })
})
