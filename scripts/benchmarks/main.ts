// Runs benchmarks: `npm run bench -- <subject> [--rounds N] [--quick] [--save]
// [--only FIGURE] [--profile DIR]`. Prints one JSON line per figure
// and a table; exits 0 when it ran, whatever the ratios.
import { execFileSync } from 'node:child_process'
import { appendFile, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { hotSpots } from './measure/profile.ts'
import { type Figure, tableOf } from './report.ts'
import type { Subject } from './subject.ts'

const ROUNDS = 5
const GIB = 2 ** 30
const FUNCTIONS_SHOWN = 40

const SUBJECTS: Readonly<Record<string, () => Promise<{ readonly subject: Subject }>>> = {
  box: () => import('./box.bench.ts'),
  direct: () => import('./direct.bench.ts'),
  flood: () => import('./flood.bench.ts'),
  rpc: () => import('./rpc.bench.ts'),
  store: () => import('./store.bench.ts')
}

const root = fileURLToPath(new URL('../..', import.meta.url))

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: String(ROUNDS) },
      quick: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      profile: { type: 'string' },
      'no-build': { type: 'boolean', default: false }
    }
  })
  const name = positionals[0] ?? ''
  const rounds = values.quick ? 1 : Number(values.rounds)
  const load = SUBJECTS[name]
  if (load === undefined || positionals.length !== 1 || !(rounds >= 1)) return usage()

  if (!values['no-build'] && !build()) return 1
  const { subject } = await load()
  const folder = await mkdtemp(join(tmpdir(), 'kith-bench-'))
  const figures: Figure[] = []
  try {
    await subject.run({
      rounds: Math.floor(rounds),
      quick: values.quick,
      folder,
      wants: (figure) => figure.startsWith(values.only),
      ...(values.profile === undefined ? {} : { profileFolder: values.profile }),
      progress: (text) => process.stderr.write(`${name}: ${text}\n`),
      report(figure) {
        figures.push(figure)
        process.stdout.write(`${JSON.stringify(figure)}\n`)
      }
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  process.stdout.write(`\n${tableOf(figures)}\n`)
  if (values.save) await save(name, figures)
  if (values.profile !== undefined) {
    const { functions, owners } = await hotSpots(values.profile, FUNCTIONS_SHOWN)
    for (const lines of [owners, functions]) process.stdout.write(`\n${lines.join('\n')}\n`)
  }
  return 0
}

/** What is measured is what is in the sources now, not what was built some day. False when it does not build. */
function build(): boolean {
  try {
    execFileSync('tsc', ['-b', 'relay'], { cwd: root, stdio: 'inherit' })
    return true
  } catch {
    process.stderr.write('The build failed. To measure what was built last, add --no-build.\n')
    return false
  }
}

async function usage(): Promise<number> {
  const lines = await Promise.all(
    Object.entries(SUBJECTS).map(async ([name, load]) => {
      try {
        return `  ${name.padEnd(8)} ${(await load()).subject.summary}`
      } catch {
        // The list is worth having before the first build.
        return `  ${name}`
      }
    })
  )
  process.stderr.write(
    `npm run bench -- <subject> [--rounds N] [--quick] [--save] [--only FIGURE] [--profile DIR] [--no-build]\n\nsubjects:\n${lines.join('\n')}\n`
  )
  return 2
}

/** Appends the machine and the figures to results/<date>-<subject>.jsonl. */
async function save(name: string, figures: readonly Figure[]): Promise<void> {
  const folder = fileURLToPath(new URL('./results', import.meta.url))
  const date = new Date().toISOString()
  const machine = {
    machine: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
    memory: `${Math.round(totalmem() / GIB)} GiB`,
    system: `${process.platform} ${process.arch}`,
    node: process.version,
    measuredAt: date
  }
  await mkdir(folder, { recursive: true })
  const lines = [machine, ...figures].map((line) => `${JSON.stringify(line)}\n`)
  const file = join(folder, `${date.slice(0, 10)}-${name}.jsonl`)
  await appendFile(file, lines.join(''))
  process.stderr.write(`saved ${file}\n`)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => process.exit(130))
}
process.exitCode = await main()
