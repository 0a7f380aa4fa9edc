// Deaths at named points from the command line: node scripts/storm/points.ts [--rounds 200] [--seed 1]. Prints what
// it did; exits 1 when a message was lost, doubled, left undelivered, or ordered differently on the two sides.
import { parseArgs } from 'node:util'
import { DEATHS, runPoints } from './point-rounds.ts'

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
const { signal } = interrupted
const rounds = Number(values.rounds)
const report = await runPoints({ rounds, seed, deaths: DEATHS, say, signal })
for (const [death, times] of [...report.deaths].sort()) say(`${death}: ${times}`)
const deaths = [...report.deaths.values()].reduce((sum, times) => sum + times, 0)
say(
  `${report.rounds} rounds, ${deaths} deaths, ${report.sent} messages: ${report.lost.length} lost, ` +
    `${report.gaps} gaps, ${report.doubled.length} doubled, ${report.undelivered.length} undelivered, ` +
    `order ${report.isSameOrder ? 'the same' : 'DIFFERENT'} on both sides`
)
const isGood =
  deaths === report.rounds &&
  report.lost.length + report.gaps + report.doubled.length + report.undelivered.length === 0 &&
  report.isSameOrder
process.exitCode = isGood ? 0 : 1
