// A kill storm from the command line: node scripts/storm/kill.ts [--rounds 200] [--seed 1]. Prints what it did;
// exits 1 when a message was lost, doubled, left undelivered, or ordered differently on the two sides.
import { parseArgs } from 'node:util'
import { runKillStorm } from './kill-storm.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) }
  }
})
const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort())

const seed = Number(values.seed)
const say = (text: string) => process.stdout.write(`${text}\n`)
say(`seed ${seed}`)
const report = await runKillStorm({
  rounds: Number(values.rounds),
  seed,
  say,
  signal: interrupted.signal
})
say(
  `${report.sent} messages, ${report.kills} kills, ${report.acceptedBeforeKill} accepted right before one: ` +
    `${report.lost.length} lost, ${report.gaps} gaps, ${report.doubled.length} doubled, ${report.undelivered.length} undelivered, ` +
    `order ${report.isSameOrder ? 'the same' : 'DIFFERENT'} on both sides`
)
const isGood =
  report.lost.length + report.gaps + report.doubled.length + report.undelivered.length === 0 &&
  report.isSameOrder
process.exitCode = isGood ? 0 : 1
