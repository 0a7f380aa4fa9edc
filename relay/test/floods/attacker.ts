// A process that floods a port with TCP connections from many loopback addresses, and tells its parent what
// became of them. Started with: port, connections a second, seconds, number of addresses.
import { connect, type Socket } from 'node:net'

const [port = 0, perSecond = 0, seconds = 0, hosts = 1] = process.argv.slice(2).map(Number)

const TICK_MS = 20
const HELD_MS = 5_000
const MULTISTREAM = Buffer.from('\x13/multistream/1.0.0\n')
const LYING_PREFIXES = [
  Buffer.from('ffffffff07', 'hex'),
  Buffer.from('ffffffffffffffff7f', 'hex'),
  Buffer.alloc(64, 0xff)
]

const counts = { opened: 0, refused: 0 }
let started = 0

/** Silence, a greeting and then silence, a lie, or an end at once. */
function misbehave(socket: Socket, index: number): void {
  const ways = [
    () => {},
    () => socket.write(MULTISTREAM),
    () => socket.write(LYING_PREFIXES[index % LYING_PREFIXES.length] as Buffer),
    () => socket.destroy()
  ]
  ways[index % ways.length]?.()
}

function openOne(index: number): void {
  const host = index % hosts
  const localAddress = `127.${1 + Math.floor(host / 250)}.${index % 8}.${1 + (host % 250)}`
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  let isOpen = false
  socket.on('connect', () => {
    isOpen = true
    counts.opened += 1
    misbehave(socket, index)
    setTimeout(() => socket.destroy(), HELD_MS).unref()
  })
  socket.on('error', () => {
    if (!isOpen) counts.refused += 1
  })
}

const startedAt = performance.now()
const timer = setInterval(() => {
  const elapsed = performance.now() - startedAt
  const due = Math.min(perSecond * seconds, Math.floor((elapsed * perSecond) / 1_000))
  while (started < due) openOne(started++)
  if (elapsed < seconds * 1_000) return
  clearInterval(timer)
  process.send?.({ started, ...counts }, () => process.exit(0))
}, TICK_MS)
