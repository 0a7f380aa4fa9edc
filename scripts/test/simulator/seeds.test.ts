// Two hundred seeded worlds, each twice: every promise holds, the same seed gives the same trace, and all together have
// met everything that can happen. They run in a process of their own, as `npm run sim` does, on the built packages:
// twice as fast as inside the test runner.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import type { SeedLine } from '../../simulator/main.ts'

const SEEDS = 200
const SEED_MS = 5_000
/** Beyond the others; see FINDINGS.md. */
const REGRESSIONS = [218, 302]
const OUTPUT_BYTES_MAX = 2 ** 24

/** What has to have happened somewhere, or the seeds prove nothing. */
const EXERCISED = [
  'both founded a group',
  'clock jump',
  'cut',
  'delivered',
  'device crash',
  'device joined late',
  'direct path',
  'doubled',
  'gap',
  'held',
  'late device added',
  'look',
  'lost',
  'relay crash',
  'slow',
  'slow disk',
  'step retry-append',
  'step sequenced',
  'text',
  'two relays',
  'told message received',
  'told state accepted',
  'told state delivered',
  'unsynced batch kept',
  'unsynced batch lost'
]

const main = fileURLToPath(new URL('../../simulator/main.ts', import.meta.url))

/** Fails with what the simulator says: the check, the seed, the last steps. */
async function sweep(...options: readonly string[]): Promise<readonly SeedLine[]> {
  const ran = await promisify(execFile)(process.execPath, [main, '--json', ...options], {
    maxBuffer: OUTPUT_BYTES_MAX
  }).catch((error: { stderr?: string }) => {
    throw new Error(error.stderr || String(error))
  })
  return ran.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as SeedLine)
}

describe('two hundred simulated worlds', () => {
  let lines: readonly SeedLine[]
  beforeAll(async () => {
    lines = await sweep('--seeds', String(SEEDS))
  }, SEEDS * SEED_MS)

  it('keep every promise, each twice alike', () => {
    expect(lines.map(({ seed }) => seed)).toEqual(
      Array.from({ length: SEEDS }, (_, index) => index + 1)
    )
    expect(new Set(lines.map(({ hash }) => hash)).size).toBe(SEEDS)
  })

  it('meet everything that can happen', () => {
    const happened = new Set(lines.flatMap(({ counts }) => Object.keys(counts)))
    expect(EXERCISED.filter((what) => !happened.has(what))).toEqual([])
  })

  it('are the same in another process', async () => {
    const [again] = await sweep('--seed', String(SEEDS))
    expect(again).toEqual(lines.at(-1))
  })
})

it.each(REGRESSIONS)('seed %i, which found a fault, keeps every promise', async (seed) => {
  expect(await sweep('--seed', String(seed))).toHaveLength(1)
})

it.each([
  ['--seeds', '0'],
  ['--seeds', 'many'],
  ['--seed', '-1']
])('%s %s is refused', async (...options) => {
  await expect(sweep(...options)).rejects.toThrow('npm run sim')
})
