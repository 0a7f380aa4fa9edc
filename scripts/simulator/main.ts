// Seeded worlds from the command line: npm run sim [-- --seeds 200] [--from 1] [--seed 17] [--trace <file>] [--json]. Each seed runs twice,
// and both traces must be the same. Exits 1 at the first broken promise, with what led to it.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { simulate } from './simulate.ts'
import { firstDifference, type Trace } from './trace.ts'
import { BrokenPromise } from './world.ts'

/** What a seed did, as printed with `--json`. */
export interface SeedLine {
  readonly seed: number
  /** SHA-256 over the trace, hexadecimal. */
  readonly hash: string
  readonly virtualMs: number
  /** Lines of the trace. */
  readonly events: number
  /** How often each kind of event happened. */
  readonly counts: Readonly<Record<string, number>>
}

const USAGE =
  'npm run sim [-- --seeds <how many> --from <first seed> | --seed <one seed> --trace <file>] [--json]\n'

interface Sweep {
  readonly seeds: readonly number[]
  readonly json: boolean
  /** Where the trace of the last seed goes. */
  readonly traceFile: string | undefined
}

function readArguments(): Sweep | undefined {
  const values = parsed()
  if (values === undefined) return undefined
  const from = Number(values.seed ?? values.from)
  const count = values.seed === undefined ? Number(values.seeds) : 1
  if (![from, count].every((number) => Number.isSafeInteger(number) && number > 0)) return undefined
  const seeds = Array.from({ length: count }, (_, index) => from + index)
  return { seeds, json: values.json, traceFile: values.trace }
}

function parsed() {
  try {
    return parseArgs({
      options: {
        seeds: { type: 'string', default: '200' },
        from: { type: 'string', default: '1' },
        seed: { type: 'string' },
        trace: { type: 'string' },
        json: { type: 'boolean', default: false }
      }
    }).values
  } catch {
    return undefined
  }
}

async function runTwice(seed: number, traceFile: string | undefined): Promise<SeedLine> {
  const first = await simulate(seed).catch((error: unknown) => {
    if (error instanceof BrokenPromise) write(error.trace, traceFile)
    throw error
  })
  write(first.trace, traceFile)
  const second = await simulate(seed)
  const difference = firstDifference(first.trace, second.trace)
  if (difference !== undefined) throw new Error(`seed ${seed} ran differently twice, ${difference}`)
  return {
    seed,
    hash: first.hash,
    virtualMs: first.virtualMs,
    events: first.trace.lines.length,
    counts: Object.fromEntries(first.counts)
  }
}

function write({ lines }: Trace, file: string | undefined): void {
  if (file !== undefined) writeFileSync(file, `${lines.join('\n')}\n`)
}

async function main(): Promise<number> {
  const sweep = readArguments()
  if (sweep === undefined) {
    process.stderr.write(USAGE)
    return 2
  }
  const startedAt = performance.now()
  let virtualMs = 0
  for (const [index, seed] of sweep.seeds.entries()) {
    const line = await runTwice(seed, sweep.traceFile)
    virtualMs += line.virtualMs
    if (sweep.json) process.stdout.write(`${JSON.stringify(line)}\n`)
    if (process.stderr.isTTY) process.stderr.write(`\r${index + 1} of ${sweep.seeds.length} seeds`)
  }
  if (sweep.json) return 0
  const seconds = (performance.now() - startedAt) / 1_000
  process.stdout.write(
    `${process.stderr.isTTY ? '\n' : ''}${sweep.seeds.length} seeds from ${sweep.seeds[0]}, each twice with one trace: ` +
      `${Math.round(virtualMs / 1_000)} virtual seconds each time, every promise kept, in ${seconds.toFixed(1)} s\n`
  )
  return 0
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  return 1
})
