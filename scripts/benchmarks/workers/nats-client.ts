// Worker: publishes to NATS JetStream in its text protocol (docs.nats.io, "Client protocol") over TLS.
import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'
import { BODY_BYTES } from '../body.ts'
import { drive, type Load } from '../measure/load.ts'
import { serveCommands } from './serve.ts'

const INBOX = '_INBOX.bench'
const body = Buffer.alloc(BODY_BYTES, 'x')
const waiting = new Map<number, PromiseWithResolvers<string>>()
let socket: TLSSocket
let requests = 0

/** Publishes with a reply address; resolves with the reply, which JetStream sends after its write. */
function request(subject: string, payload: Buffer): Promise<string> {
  const id = requests++
  const reply = Promise.withResolvers<string>()
  waiting.set(id, reply)
  const header = Buffer.from(`PUB ${subject} ${INBOX}.${id} ${payload.byteLength}\r\n`)
  socket.write(Buffer.concat([header, payload, Buffer.from('\r\n')]))
  return reply.promise
}

/** Takes whole protocol lines (and message bodies) off the front of `bytes`; returns what is left. */
function parse(bytes: Buffer): Buffer {
  let rest = bytes
  for (;;) {
    const end = rest.indexOf('\r\n')
    if (end < 0) return rest
    const line = rest.toString('latin1', 0, end)
    if (line.startsWith('MSG ')) {
      const words = line.split(' ')
      const length = Number(words.at(-1))
      if (rest.byteLength < end + 2 + length + 2) return rest
      answer(words[1] ?? '', rest.toString('utf8', end + 2, end + 2 + length))
      rest = rest.subarray(end + 2 + length + 2)
      continue
    }
    if (line === 'PING') socket.write('PONG\r\n')
    if (line.startsWith('-ERR')) socket.destroy(new Error(line))
    rest = rest.subarray(end + 2)
  }
}

function answer(subject: string, text: string): void {
  const id = Number(subject.slice(INBOX.length + 1))
  const reply = waiting.get(id)
  waiting.delete(id)
  if (text.includes('"error"')) reply?.reject(new Error(text))
  else reply?.resolve(text)
}

serveCommands({
  async open({ port }: { port: number }) {
    socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false })
    socket.setNoDelay(true)
    await once(socket, 'secureConnect')
    let rest = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      rest = Buffer.from(parse(rest.byteLength === 0 ? chunk : Buffer.concat([rest, chunk])))
    })
    socket.on('close', () => {
      for (const reply of waiting.values()) reply.reject(new Error('NATS closed the connection'))
    })
    socket.write(`CONNECT {"verbose":false,"pedantic":false}\r\nSUB ${INBOX}.* 1\r\n`)
    const stream = { name: 'BOX', subjects: ['box.>'], storage: 'file', num_replicas: 1 }
    await request('$JS.API.STREAM.CREATE.BOX', Buffer.from(JSON.stringify(stream)))
  },
  accept: (load: Load) => drive(load, () => request('box.bob', body))
})
