// The daemon over HTTP: who is let in, what is answered, and events that go on where a reader left off.
import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseHttpAddress } from '../../src/daemon/address.ts'
import { type HttpServer, serveHttp } from '../../src/daemon/http.node.ts'
import { openToken } from '../../src/daemon/token.node.ts'
import { type MemoryPerson, MemoryWorld } from '../memory-engine.ts'
import { temporaryHome } from '../run.ts'
import { hostOf } from '../socket/host.ts'

let home: string
let alice: MemoryPerson
let bob: MemoryPerson
let server: HttpServer
let token: string

beforeEach(async () => {
  home = await temporaryHome()
  const world = new MemoryWorld()
  alice = world.person(home, 'alice')
  bob = world.person('/bob', 'bob')
  alice.addContact(bob)
  const opened = await openToken(home)
  token = (await readFile(opened.path, 'utf8')).trim()
  server = await serveHttp({
    address: { host: '127.0.0.1', port: 0 },
    token: opened,
    host: hostOf(alice.api())
  })
})

afterEach(() => server.close())

interface Answer {
  readonly status: number
  readonly body: string
}

/** Unlike fetch, it sets whatever headers are given. */
function send(
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string | Buffer } = {}
): Promise<Answer> {
  const { method = 'POST', headers = {}, body } = options
  return new Promise((resolve, reject) => {
    const asked = httpRequest(
      `${server.url}${path}`,
      {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          ...headers
        }
      },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          text += chunk
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }))
        response.on('error', reject)
      }
    )
    asked.on('error', reject)
    asked.end(body)
  })
}

const call = (method: string, params: object = {}) =>
  send('/rpc', { body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) })

describe('a program with the token', () => {
  it('calls commands and calls of the messenger', async () => {
    const sent = await call('message.send', { who: 'bob', text: 'over http', wait: 'delivered' })
    expect(sent.status).toBe(200)
    expect(JSON.parse(sent.body)).toMatchObject({ id: 1, result: { text: 'over http' } })
    const account = JSON.parse((await call('account')).body)
    expect(account.result).toEqual(alice.view())
  })

  it('reads what there is to call', async () => {
    const { body } = await send('/openrpc.json', { method: 'GET' })
    expect(JSON.parse(body).openrpc).toBe('1.3.2')
  })

  it('gets nothing for a notification', async () => {
    const body = JSON.stringify({ jsonrpc: '2.0', method: 'account' })
    expect(await send('/rpc', { body })).toEqual({ status: 204, body: '' })
  })
})

describe('what is refused', () => {
  it.each<[string, Record<string, string>, number]>([
    ['no token', { authorization: '' }, 401],
    ['a wrong token', { authorization: `Bearer ${'x'.repeat(43)}` }, 401],
    ['another scheme', { authorization: 'Basic dXNlcjpwYXNz' }, 401],
    ['a name that was made to point here', { host: 'evil.example:80' }, 403],
    ['another port', { host: 'localhost:1' }, 403],
    ['a web page', { origin: 'https://evil.example' }, 403],
    ['a page of a file', { origin: 'null' }, 403],
    ['a page of this machine', { origin: 'http://localhost:3000' }, 403],
    ['a page that hides its origin', { 'sec-fetch-site': 'cross-site' }, 403]
  ])('%s', async (_, headers, status) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'account' })
    const answer = await send('/rpc', { headers, body })
    expect(answer.status).toBe(status)
    expect(JSON.parse(answer.body).error.message).not.toBe('')
    expect(answer.body).not.toContain(alice.account)
    expect(alice.calls).toEqual([])
  })

  it.each<[string, string | Buffer, number]>([
    ['not JSON', '{"jsonrpc"', -32700],
    ['not UTF-8', Buffer.from([0x22, 0xff, 0x22]), -32700],
    ['a batch', '[]', -32600],
    ['listed parameters', '{"jsonrpc":"2.0","id":1,"method":"account","params":[1]}', -32600],
    ['an unknown method', '{"jsonrpc":"2.0","id":1,"method":"toString"}', -32601],
    ['wrong parameters', '{"jsonrpc":"2.0","id":1,"method":"account","params":{"a":1}}', -32602]
  ])('%s', async (_, body, code) => {
    const answer = await send('/rpc', { body })
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body).error.code).toBe(code)
  })

  it('a body that is too large, declared or not', async () => {
    const body = 'x'.repeat(1_024 * 1_024 + 1)
    expect((await send('/rpc', { body })).status).toBe(413)
    const chunked = await send('/rpc', { body, headers: { 'transfer-encoding': 'chunked' } })
    expect(chunked.status).toBe(413)
    expect((await call('account')).status).toBe(200)
  })

  it('other paths, methods and types', async () => {
    expect((await send('/')).status).toBe(404)
    expect((await send('/rpc', { method: 'GET' })).status).toBe(405)
    const headers = { 'content-type': 'text/plain' }
    expect((await send('/rpc', { headers, body: '{}' })).status).toBe(415)
    expect((await send('/events?after=x', { method: 'GET' })).status).toBe(400)
  })

  it('bytes that are no HTTP, and goes on', async () => {
    const { port } = new URL(server.url)
    const socket = connect(Number(port), '127.0.0.1')
    socket.on('error', () => undefined)
    socket.resume()
    socket.write('\x16\x03\x01 hello\r\n\r\n')
    await new Promise((resolve) => socket.once('close', resolve))
    expect((await call('account')).status).toBe(200)
  })
})

/** Reads events until there are so many, then leaves. */
function stream(path: string, count: number, headers: Record<string, string> = {}) {
  return new Promise<{ id: number; text: string }[]>((resolve, reject) => {
    const asked = httpRequest(`${server.url}${path}`, {
      headers: { authorization: `Bearer ${token}`, ...headers }
    })
    asked.on('error', reject)
    asked.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('error', () => undefined)
      response.on('data', (chunk: string) => {
        text += chunk
        const blocks = text.split('\n\n').filter((block) => block.startsWith('id: '))
        if (blocks.length < count || !text.endsWith('\n\n')) return
        asked.destroy()
        resolve(
          blocks.map((block) => {
            const [, id, data = ''] = /^id: (\d+)\ndata: (.*)$/.exec(block) ?? []
            return { id: Number(id), text: JSON.parse(data).event.message?.text }
          })
        )
      })
    })
    asked.end()
  })
}

describe('server-sent events', () => {
  it('begin with the oldest, go on live, and behind what was seen', async () => {
    alice.receive(bob, 'one')
    alice.receive(bob, 'two')
    const live = stream('/events', 3)
    alice.receive(bob, 'three')
    expect(await live).toEqual([
      { id: 1, text: 'one' },
      { id: 2, text: 'two' },
      { id: 3, text: 'three' }
    ])
    expect(await stream('/events', 1, { 'last-event-id': '2' })).toEqual([{ id: 3, text: 'three' }])
    expect(await stream('/events?after=1', 2)).toMatchObject([{ id: 2 }, { id: 3 }])
  })

  it('of a consumer begin behind its confirmation', async () => {
    alice.receive(bob, 'one')
    alice.receive(bob, 'two')
    expect(await stream('/events?consumer=bot', 2)).toMatchObject([{ id: 1 }, { id: 2 }])
    await call('confirmEvents', { consumer: 'bot', number: 1 })
    expect(await stream('/events?consumer=bot', 1)).toMatchObject([{ id: 2 }])
  })

  it('say what is wrong, and end', async () => {
    const { body } = await send('/events?after=99', { method: 'GET' })
    expect(body).toContain('event: error')
    expect(body).toContain('unknown-event')
  })

  it('do not hold up the end', async () => {
    const ended = send('/events', { method: 'GET' }).catch(() => undefined)
    await expect.poll(async () => (await call('account')).status).toBe(200)
    await server.close()
    await ended
  })
})

describe('the token', () => {
  it('is for its owner alone, and the same the next time', async () => {
    const path = join(home, 'http.token')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await openToken(home)).matches(token)).toBe(true)
    expect((await openToken(home)).matches(`${token}x`)).toBe(false)
  })

  it('that others can read, or that is none, is refused in words', async () => {
    const path = join(home, 'http.token')
    await chmod(path, 0o644)
    await expect(openToken(home)).rejects.toMatchObject({ code: 'bad-token' })
    await chmod(path, 0o600)
    await writeFile(path, 'short')
    await expect(openToken(home)).rejects.toThrow('no token')
  })
})

describe('the address', () => {
  it('is loopback', () => {
    expect(parseHttpAddress('7788')).toEqual({ host: '127.0.0.1', port: 7788 })
    expect(parseHttpAddress('localhost:1')).toEqual({ host: '127.0.0.1', port: 1 })
    expect(parseHttpAddress('[::1]:0')).toEqual({ host: '::1', port: 0 })
  })

  it.each(['0.0.0.0:80', '192.168.1.4:80', 'example.org:80', '[::]:80', '99999', 'x', '', ':80'])(
    'is not %j',
    (text) => {
      expect(() => parseHttpAddress(text)).toThrow('--http')
    }
  )

  it('that is taken is told', async () => {
    const { port } = new URL(server.url)
    const again = serveHttp({
      address: { host: '127.0.0.1', port: Number(port) },
      token: await openToken(home),
      host: hostOf(alice.api())
    })
    await expect(again).rejects.toMatchObject({ code: 'address-in-use' })
  })
})
