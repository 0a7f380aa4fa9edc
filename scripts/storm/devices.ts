// Two people, two devices each, one relay killed throughout: node scripts/storm/devices.ts [--rounds 50] [--seed 1]
// [--fresh: the chat begins in the storm, at several devices at once].
// Prints what it did; exits 1 when a device lacks a message, lists one twice, or in another order than the others.
import { parseArgs } from 'node:util'
import { runDevices } from './device-rounds.ts'

const { values } = parseArgs({
  options: {
    fresh: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) }
  }
})
const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort())

const seed = Number(values.seed)
const say = (text: string) => process.stdout.write(`${text}\n`)
say(`seed ${seed}`)
const { signal } = interrupted
const begins = values.fresh ? 'in the storm' : 'before the links'
const report = await runDevices({ rounds: Number(values.rounds), seed, begins, say, signal })
say(
  `4 devices, ${report.sent} messages, ${report.relayKills} kills of the relay, ${report.deviceKills} of devices: ` +
    `${report.lost.length} lost, ${report.gaps} gaps, ${report.doubled.length} doubled, ` +
    `order ${report.isSameOrder ? 'the same' : 'DIFFERENT'} on all`
)
for (const text of [...report.lost, ...report.doubled]) say(text)
const isGood = report.lost.length + report.gaps + report.doubled.length === 0 && report.isSameOrder
process.exitCode = isGood ? 0 : 1
