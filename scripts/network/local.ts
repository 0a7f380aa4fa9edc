// `npm start`: a relay and two people on this machine, each a process of its own, in a folder that is gone
// afterwards. At a terminal it opens Alice's chat with Bob; piped, it sends the lines of standard input (or of
// conversation.txt) and prints what both sides hold.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { MessageView } from '@kith/node'
import { Stage } from './kith.ts'
import type { LocalProcess } from './processes.ts'
import { typedLines } from './typed-lines.ts'

/** An answer takes some tens of milliseconds; after this long the next line is sent all the same. */
const ANSWER_MS = 5_000

/** From Bob's outbox to Alice, most of the time. */
const ARRIVAL_MS = 100

/** Until every message is delivered and answered, after the last was sent. */
const SETTLE_MS = 60_000
const SETTLE_POLL_MS = 200

/** Time for bob's node to open its store and start. */
const BOB_READY_MS = 30_000

/** Time for `kith chat` to end once its input has. */
const CHAT_END_MS = 30_000

/** Exit code of `kith chat` when it refused a line, such as one too long, and sent the others. */
const REFUSED = 2

/** Exit code after Ctrl-C, as a shell reports it. */
const INTERRUPTED = 130

/** Lines of a failed process that are shown. */
const TAIL_SHOWN = 15

const began = performance.now()
const say = (text: string) =>
  process.stdout.write(
    `${((performance.now() - began) / 1_000).toFixed(1).padStart(5)} s  ${text}\n`
  )

/** Relay, both accounts, contacts both ways, Bob's process. */
async function setUp(stage: Stage, signal: AbortSignal): Promise<LocalProcess> {
  say('starting a relay, making accounts for alice and bob')
  const relay = await stage.introduce('alice', 'bob')
  say(`the relay is up (process ${relay.pid}); alice and bob know each other`)
  const bob = stage.processes.start({
    name: 'bob',
    args: [join(import.meta.dirname, 'bob.ts'), stage.home('bob')]
  })
  await bob.line((line) => line === 'ready', { timeoutMs: BOB_READY_MS, signal })
  say(`bob is up and answers (process ${bob.pid})`)
  return bob
}

/** Alice's chat with this terminal, until she leaves it. */
async function chatHere(stage: Stage): Promise<number> {
  process.stdout.write(`
You are alice. What you type goes sealed through the relay to bob, who runs as another
process and answers with what he got. Try emoji, a long line, or in another terminal, in
this folder:
  npx kith message list bob --home ${stage.home('alice')}
Ctrl-D or Ctrl-C ends it; then everything is stopped and removed.

`)
  const chat = stage.startKith('alice', { args: ['chat', 'bob'], mode: 'terminal' })
  const end = await chat.ended
  if (end !== 0 && end !== INTERRUPTED && end !== 'SIGINT')
    throw new Error(`kith chat ended with ${end}`)
  return 0
}

/**
 * Feeds lines to Alice's chat, waits until all are delivered and answered, prints both transcripts. Resolves to the
 * exit code: REFUSED when a line was.
 */
async function chatPiped(stage: Stage, bob: LocalProcess, signal: AbortSignal): Promise<number> {
  const chat = stage.startKith('alice', { args: ['chat', 'bob'] })
  let sent = 0
  for await (const line of typedLines(process.stdin, signal)) {
    await send(line)
  }
  if (sent === 0) {
    const text = readFileSync(join(import.meta.dirname, 'conversation.txt'), 'utf8')
    say('nothing on standard input: sending the lines of conversation.txt')
    for (const line of text.split('\n')) await send(line)
  }
  const count = await settled(stage, signal)
  chat.end()
  const end = await chat.finish({ timeoutMs: CHAT_END_MS, signal })
  if (end !== 0 && end !== REFUSED) throw new Error(`kith chat ended with ${end}`)
  await bob.stop()
  say(`${count} messages sent, all delivered and answered`)
  for (const [name, peer] of [
    ['alice', 'bob'],
    ['bob', 'alice']
  ] as const) {
    process.stdout.write(`\n${name}'s side (kith message list ${peer}):\n`)
    process.stdout.write(`${await stage.kith(name, 'message', 'list', peer, '--limit', '1000')}\n`)
  }
  process.stdout.write('\n')
  if (end === REFUSED) process.stderr.write(`refused:\n  ${chat.errors.join('\n  ')}\n`)
  return end

  async function send(line: string): Promise<void> {
    if (line.trim() === '') return
    chat.write(line)
    sent++
    // Pace only, so that the transcript reads as a talk: what comes late is waited for at the end.
    await bob
      .line((text) => text.startsWith('answered'), { timeoutMs: ANSWER_MS, signal })
      .catch((error) => {
        if (bob.hasEnded || chat.hasEnded || signal.aborted) throw error
      })
    await setTimeout(ARRIVAL_MS)
  }
}

/** Waits until Alice holds every message as delivered and an answer to each; resolves to their number. */
async function settled(stage: Stage, signal: AbortSignal): Promise<number> {
  const deadline = performance.now() + SETTLE_MS
  for (;;) {
    const { messages, gaps } = await stage.messages('alice', 'bob')
    const outgoing = messages.filter((message) => message.outgoing)
    const open = outgoing.filter((message: MessageView) => message.state !== 'delivered').length
    const missing = gaps.length + 2 * outgoing.length - messages.length
    if (open === 0 && missing === 0) return outgoing.length
    if (performance.now() > deadline) {
      throw new Error(`${open} messages not delivered and ${missing} not answered in time`)
    }
    signal.throwIfAborted()
    await setTimeout(SETTLE_POLL_MS)
  }
}

async function main(): Promise<number> {
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => interrupted.abort())
  }
  // Nobody reads any more: stop as at Ctrl-C.
  process.stdout.on('error', () => interrupted.abort())
  const { signal } = interrupted
  let stage: Stage | undefined
  try {
    stage = new Stage(signal)
    const bob = await setUp(stage, signal)
    const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true
    return isTerminal ? await chatHere(stage) : await chatPiped(stage, bob, signal)
  } catch (error) {
    if (signal.aborted) return INTERRUPTED
    explain(error, stage)
    return 1
  } finally {
    await stage?.close()
    say('all stopped, all files removed')
  }
}

/** What failed, and the last lines of everybody who may know why. */
function explain(error: unknown, stage: Stage | undefined): void {
  process.stderr.write(`\nfailed: ${error instanceof Error ? error.message : String(error)}\n`)
  for (const { name, tail } of stage?.processes.all ?? []) {
    if (tail.length === 0) continue
    process.stderr.write(`\nlast lines of ${name}:\n  ${tail.slice(-TAIL_SHOWN).join('\n  ')}\n`)
  }
}

process.exit(await main())
