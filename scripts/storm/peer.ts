// A node that a storm drives: each line of input is a text to send to its one contact, each line of output an
// event as JSON. Usage: node peer.ts <home>. Ends on SIGTERM, or when its input ends.
import { createInterface } from 'node:readline'
import { openMessenger } from '@kith/node/host'
import { createLog } from '@kith/node/kernel'
import type { PeerLine } from './peer-line.ts'

/** The most that a node lists at once. */
const LIST_MAX = 1_000

const home = process.argv[2]
if (home === undefined) throw new Error('usage: node peer.ts <home>')

const log = createLog({
  level: 'info',
  now: () => Date.now(),
  write: (line) => process.stderr.write(`${line}\n`)
})
const print = (line: PeerLine) => process.stdout.write(`${JSON.stringify(line)}\n`)

const ended = new AbortController()
process.once('SIGTERM', () => ended.abort())

const messenger = await openMessenger({ home, log })
const [contact] = await messenger.listContacts()
if (contact === undefined) throw new Error('the account has no contact')
const { name } = contact

const input = createInterface({ input: process.stdin })
input.on('line', (text) => {
  messenger.sendMessage({ to: name, text }).catch((error: unknown) => {
    print({ type: 'failed', text: String(error) })
  })
})
input.once('close', () => ended.abort())

try {
  // Asked for before the list, so that nothing falls between the two.
  const events = messenger.events(ended.signal)[Symbol.asyncIterator]()
  let next = events.next()
  const { messages } = await messenger.listMessages({ with: name, limit: LIST_MAX })
  for (const { outgoing, state, text } of messages) {
    print({ type: outgoing ? state : 'held', text })
  }
  print({ type: 'ready', text: '' })
  for (let result = await next; result.done !== true; result = await next) {
    next = events.next()
    const event = result.value
    if (event.type !== 'message' && event.type !== 'state') continue
    print({ type: event.message.state, text: event.message.text })
  }
} catch (error) {
  if (!ended.signal.aborted) throw error
} finally {
  input.close()
  process.stdin.destroy()
  await messenger.stop()
}
