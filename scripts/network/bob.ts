// Bob, who is never asleep: a node of his own that answers every message with what he received, by which path it
// came and how long it took. Usage: node bob.ts <home>. Ends on SIGTERM, or when its input ends.
import type { MessageView } from '@kith/node'
import { openMessenger } from '@kith/node/host'
import { createLog } from '@kith/node/kernel'

/** Quoted in an answer; the rest of a longer message is left out, so that answers stay short. */
const QUOTE_CHARACTERS = 120

const home = process.argv[2]
if (home === undefined) throw new Error('usage: node bob.ts <home>')

const log = createLog({
  level: 'info',
  now: () => Date.now(),
  write: (line) => process.stderr.write(`${line}\n`)
})
const ended = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.once(signal, () => ended.abort())
}
// The parent holds the other end: when it is gone, so is Bob.
process.stdin.once('end', () => ended.abort()).resume()

function answer({ text, path, sentAtMs, storedAtMs }: MessageView): string {
  const characters = [...new Intl.Segmenter().segment(text)].map(({ segment }) => segment)
  const quote =
    characters.length > QUOTE_CHARACTERS
      ? `${characters.slice(0, QUOTE_CHARACTERS).join('')}…`
      : text
  const way = path === 'direct' ? 'direct' : 'by relay'
  return `bob got "${quote}" · ${way} · ${Math.max(0, storedAtMs - sentAtMs)} ms after you wrote it`
}

const messenger = await openMessenger({ home, log })
try {
  const events = messenger.events(ended.signal)
  process.stdout.write('ready\n')
  let answered = 0
  for await (const event of events) {
    if (event.type !== 'message' || event.message.outgoing) continue
    await messenger.sendMessage({ to: event.message.sender, text: answer(event.message) })
    answered++
    process.stdout.write(`answered ${answered}\n`)
  }
} catch (error) {
  if (!ended.signal.aborted) throw error
} finally {
  process.stdin.destroy()
  await messenger.stop()
}
