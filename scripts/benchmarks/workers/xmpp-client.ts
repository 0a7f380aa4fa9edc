// Worker: two XMPP clients (RFC 6120) on one server, over TLS; alice sends chat messages, bob counts them.
import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'
import { BODY_BYTES } from '../body.ts'
import { drive, type Load } from '../measure/load.ts'
import { serveCommands } from './serve.ts'

const MESSAGE = `<message to='bob@localhost/bench' type='chat'><body>${'x'.repeat(BODY_BYTES)}</body></message>`
const MESSAGE_END = '</message>'
const OPEN_STREAM = `<?xml version='1.0'?><stream:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`
const BIND = `<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>bench</resource></bind></iq>`

const received: (() => void)[] = []
let alice: TLSSocket

/** Resolves once the text has arrived; what came before it is dropped. */
async function waitFor(socket: TLSSocket, text: string): Promise<void> {
  let arrived = ''
  while (!arrived.includes(text)) {
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    arrived += chunk.toString()
    if (arrived.includes('</stream:stream>')) throw new Error(`the server refused: ${arrived}`)
  }
}

async function login(port: number, name: string): Promise<TLSSocket> {
  const socket = connect({
    host: '127.0.0.1',
    port,
    servername: 'localhost',
    rejectUnauthorized: false
  })
  socket.setNoDelay(true)
  await once(socket, 'secureConnect')
  const secret = Buffer.from(`\0${name}\0secret`).toString('base64')
  for (const [send, answer] of [
    [OPEN_STREAM, '</stream:features>'],
    [
      `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${secret}</auth>`,
      '<success'
    ],
    [OPEN_STREAM, '</stream:features>'],
    [BIND, '</iq>']
  ] as const) {
    socket.write(send)
    await waitFor(socket, answer)
  }
  return socket
}

/** Calls back for each end of a message; keeps what may be the start of one. */
function onMessages(socket: TLSSocket, listener: () => void): void {
  let rest = ''
  socket.on('data', (chunk) => {
    rest += chunk.toString('latin1')
    for (let end = rest.indexOf(MESSAGE_END); end >= 0; end = rest.indexOf(MESSAGE_END)) {
      rest = rest.slice(end + MESSAGE_END.length)
      listener()
    }
  })
}

serveCommands({
  async open({ port }: { port: number }) {
    const bob = await login(port, 'bob')
    onMessages(bob, () => received.shift()?.())
    alice = await login(port, 'alice')
    // Errors come back to alice; without a reader her socket would stall instead of telling.
    onMessages(alice, () => {
      throw new Error('the server returned a message')
    })
  },
  forward: (load: Load) =>
    drive(
      load,
      () =>
        new Promise<void>((resolve) => {
          received.push(resolve)
          alice.write(MESSAGE)
        })
    )
})
