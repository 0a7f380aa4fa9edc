// Status of a running relay through a socket in its folder: whoever may enter the folder may ask. One answer a
// connection, as JSON; nothing is read from the asker.
import { chmod, rm } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { OperatorError } from './errors.ts'
import type { HomeFiles } from './home.node.ts'
import type { Relay, RelayStatus } from './relay.ts'

const SOCKET_MODE = 0o600
/** Askers at once; each is answered and gone within a millisecond. */
const ASKERS_MAX = 16
/** A relay that is alive answers in milliseconds, a busy one in tens. */
const ANSWER_TIMEOUT_MS = 5_000
/** A status is about 500 bytes. */
const ANSWER_BYTES_MAX = 65_536

/** The relay, answering for its status until it stops. */
export async function serveStatus(relay: Relay, { socket }: HomeFiles): Promise<Relay> {
  const server = createServer((asker) => {
    // An asker that goes away early has lost nothing.
    asker.on('error', () => undefined)
    asker.end(JSON.stringify(relay.status()))
  })
  server.maxConnections = ASKERS_MAX
  // The store is ours, so a socket that is still there belongs to nobody.
  await rm(socket, { force: true })
  await listen(server, socket)
  await chmod(socket, SOCKET_MODE)
  return {
    get id() {
      return relay.id
    },
    get addresses() {
      return relay.addresses
    },
    get joinLink() {
      return relay.joinLink
    },
    failed: relay.failed,
    status: () => relay.status(),
    async stop() {
      server.close()
      await relay.stop()
    }
  }
}

/** What a running relay says of itself; undefined when none runs. */
export function askStatus({ socket }: HomeFiles): Promise<RelayStatus | undefined> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const asker = connect(socket)
    asker.setEncoding('utf8')
    asker.setTimeout(ANSWER_TIMEOUT_MS, () => asker.destroy(new Error('no answer in time')))
    asker.on('data', (text: string) => {
      answer += text
      if (answer.length > ANSWER_BYTES_MAX) asker.destroy(new Error('an answer without end'))
    })
    asker.on('end', () => resolve(JSON.parse(answer)))
    asker.on('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT' || cause.code === 'ECONNREFUSED') return resolve(undefined)
      reject(
        new OperatorError('no-answer', `The relay does not answer: ${cause.message}.`, {
          hint: 'Look at its log, or stop it and start it again.',
          cause
        })
      )
    })
  })
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      server.off('error', reject)
      // Keeps no process alive by itself.
      server.unref()
      resolve()
    })
  })
}
