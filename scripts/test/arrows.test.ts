// Every lint rule that ARCHITECTURE.md calls machine-checked is shown to fire: a scratch tree under the real
// biome.json gets one file that breaks one rule, and one that stays inside it.
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const PACKAGES = ['protocols', 'node', 'relay', 'cli', 'scripts']

interface Case {
  readonly sentence: string
  readonly path: string
  readonly code: string
  /** Rule expected to fire; absent where the code is allowed. */
  readonly rule?: string
}

const breaks = (
  sentence: string,
  path: string,
  code: string,
  rule = 'noRestrictedImports'
): Case => ({
  sentence,
  path,
  code,
  rule
})
const allows = (sentence: string, path: string, code: string): Case => ({ sentence, path, code })

const CASES: readonly Case[] = [
  breaks('protocols cannot import node', 'protocols/src/a.ts', "import '@kith/node'"),
  breaks(
    'protocols cannot import the kernel',
    'protocols/src/box/a.ts',
    "import '@kith/node/kernel'"
  ),
  breaks(
    'protocols cannot leave its folder',
    'protocols/src/box/b.ts',
    "import '../../../node/src/index.ts'"
  ),
  breaks(
    'protocols has no Node modules',
    'protocols/src/c.ts',
    "import 'node:fs'",
    'noNodejsModules'
  ),
  breaks(
    'protocols has no timers',
    'protocols/src/d.ts',
    'setTimeout(() => {}, 1)',
    'noRestrictedGlobals'
  ),
  allows('protocols may use its own units', 'protocols/src/box/e.ts', "import '../units.ts'"),

  breaks('the relay cannot import the messenger', 'relay/src/a.ts', "import '@kith/node'"),
  breaks('the relay cannot import the host', 'relay/src/b.ts', "import '@kith/node/host'"),
  breaks('the relay cannot import testing', 'relay/src/c.ts', "import '@kith/node/testing'"),
  breaks('the relay cannot import the cli', 'relay/src/d.ts', "import '@kith/cli'"),
  breaks(
    'the relay cannot reach a feature by path',
    'relay/src/e.ts',
    "import '../../node/src/identity/keys.ts'"
  ),
  breaks(
    'the relay cannot import a type of a feature',
    'relay/src/f.ts',
    "import type { A } from '@kith/node'\nexport type B = A"
  ),
  breaks(
    'the relay cannot re-export a feature',
    'relay/src/g.ts',
    "export { a } from '@kith/node'"
  ),
  breaks('the relay cannot load a feature late', 'relay/src/h.ts', "await import('@kith/node')"),
  breaks('the relay cannot import libp2p itself', 'relay/src/i.ts', "import 'libp2p'"),
  breaks(
    'the relay takes timers from the kernel',
    'relay/src/j.ts',
    'setInterval(() => {}, 1)',
    'noRestrictedGlobals'
  ),
  allows(
    'the relay may use the kernel',
    'relay/src/box/k.ts',
    "import '@kith/node/kernel'\nimport '@kith/node/kernel/host'\nimport '@kith/protocols'"
  ),

  breaks('the cli cannot import the kernel', 'cli/src/a.ts', "import '@kith/node/kernel'"),
  breaks(
    'the cli cannot import the host kernel',
    'cli/src/b.ts',
    "import '@kith/node/kernel/host'"
  ),
  breaks('the cli cannot import the relay', 'cli/src/commands/c.ts', "import '@kith/relay'"),
  allows(
    'the cli may use the messenger',
    'cli/src/d.ts',
    "import '@kith/node'\nimport '@kith/node/host'\nimport '@kith/protocols'"
  ),

  breaks('node cannot import scripts', 'node/src/a.ts', "import '@kith/scripts'"),
  breaks('the cli cannot import scripts', 'cli/src/e.ts', "import '@kith/scripts'"),
  breaks('tests of the cli cannot import scripts', 'cli/test/a.test.ts', "import '@kith/scripts'"),
  breaks('the relay cannot import scripts', 'relay/src/l.ts', "import '@kith/scripts'"),
  breaks('protocols cannot import scripts', 'protocols/src/f.ts', "import '@kith/scripts'"),
  allows(
    'scripts may import everything',
    'scripts/a.ts',
    "import '@kith/cli'\nimport '@kith/relay'\nimport '@kith/node/kernel/host'"
  ),

  breaks('node cannot import the relay', 'node/src/b.ts', "import '@kith/relay'"),
  breaks('the messenger cannot import testing', 'node/src/c.ts', "import './testing/people.ts'"),
  breaks('the messenger cannot import the host', 'node/src/d.ts', "import './host/index.ts'"),
  breaks('the kernel knows no feature', 'node/src/kernel/a.ts', "import '../identity/keys.ts'"),
  breaks(
    'a kernel folder knows no feature',
    'node/src/kernel/store/a.ts',
    "import '../../identity/keys.ts'"
  ),
  breaks(
    'a folder of a kernel folder knows no feature',
    'node/src/kernel/store/leveldb/a.ts',
    "import '../../../identity/keys.ts'"
  ),
  allows(
    'a folder of a kernel folder may use the kernel',
    'node/src/kernel/store/leveldb/b.ts',
    "import '../../clock.ts'"
  ),
  allows(
    'a kernel folder may use the kernel',
    'node/src/kernel/store/b.ts',
    "import '../clock.ts'"
  ),
  breaks('groups do not know identity', 'node/src/groups/a.ts', "import '../identity/keys.ts'"),
  breaks(
    'identity does not know contacts',
    'node/src/identity/a.ts',
    "import '../contacts/contacts.ts'"
  ),
  breaks(
    'contacts do not know conversations',
    'node/src/contacts/a.ts',
    "import '../conversations/timeline.ts'"
  ),
  breaks(
    'conversations do not know delivery',
    'node/src/conversations/a.ts',
    "import '../delivery/outbox.ts'"
  ),
  breaks(
    'delivery does not know direct chats',
    'node/src/delivery/a.ts',
    "import '../direct/direct.ts'"
  ),
  breaks('no feature knows the messenger', 'node/src/direct/a.ts', "import '../messenger.ts'"),
  breaks(
    'direct chats do not know linking',
    'node/src/direct/c.ts',
    "import '../linking/index.ts'"
  ),
  breaks(
    'linking does not know the messenger',
    'node/src/linking/a.ts',
    "import '../messenger.ts'"
  ),
  breaks('no feature knows the host', 'node/src/direct/b.ts', "import '../host/index.ts'"),
  breaks('no feature uses testing', 'node/src/delivery/b.ts', "import '../testing/people.ts'"),
  breaks('only the kernel imports libp2p', 'node/src/delivery/c.ts', "import 'libp2p'"),
  breaks('only the kernel imports level', 'node/src/contacts/b.ts', "import 'level'"),
  breaks('only groups import ts-mls', 'node/src/conversations/b.ts', "import 'ts-mls'"),
  breaks('the kernel does not import ts-mls', 'node/src/kernel/b.ts', "import 'ts-mls'"),
  breaks(
    'a type import follows the arrows too',
    'node/src/identity/b.ts',
    "import type { A } from '../delivery/outbox.ts'\nexport type B = A"
  ),
  allows(
    'delivery may use conversations',
    'node/src/delivery/d.ts',
    "import '../conversations/timeline.ts'\nimport '../kernel/clock.ts'"
  ),

  breaks(
    'Node modules need a *.node.ts file',
    'node/src/kernel/c.ts',
    "import 'node:fs'",
    'noNodejsModules'
  ),
  allows('a *.node.ts file may use Node modules', 'node/src/kernel/d.node.ts', "import 'node:fs'"),
  breaks(
    'features take timers from the clock',
    'node/src/delivery/e.ts',
    'setTimeout(() => {}, 1)',
    'noRestrictedGlobals'
  ),
  breaks(
    'features take time from the clock',
    'node/src/delivery/f.ts',
    'performance.now()',
    'noRestrictedGlobals'
  ),
  breaks(
    'features have no Buffer',
    'node/src/delivery/g.ts',
    "Buffer.from('')",
    'noRestrictedGlobals'
  ),
  allows('the kernel may use timers', 'node/src/kernel/e.ts', 'setTimeout(() => {}, 1)'),

  breaks(
    'file names are kebab-case',
    'relay/src/camelCase.ts',
    'export const a = 1',
    'useFilenamingConvention'
  ),
  breaks('default exports are refused', 'relay/src/m.ts', 'export default 1', 'noDefaultExport'),
  breaks('any is refused', 'relay/src/n.ts', 'export const a: any = 1', 'noExplicitAny'),
  breaks(
    'a promise left alone is refused',
    'relay/src/o.ts',
    'async function a() {}\na()',
    'noFloatingPromises'
  ),
  breaks(
    'an undeclared package is refused',
    'relay/src/p.ts',
    "import 'level-party'",
    'noUndeclaredDependencies'
  ),
  breaks(
    'a circle of imports is refused',
    'relay/src/q.ts',
    "import { r } from './r.ts'\nexport const q = () => r",
    'noImportCycles'
  ),
  breaks(
    'a circle of imports is refused on both ends',
    'relay/src/r.ts',
    "import { q } from './q.ts'\nexport const r = () => q",
    'noImportCycles'
  )
]

const scratch = mkdtempSync(join(tmpdir(), 'kith-arrows-'))
let found: ReadonlyMap<string, readonly string[]>

beforeAll(() => {
  for (const file of [
    'biome.json',
    '.gitignore',
    'package.json',
    ...PACKAGES.map((name) => `${name}/package.json`)
  ]) {
    mkdirSync(dirname(join(scratch, file)), { recursive: true })
    copyFileSync(join(ROOT, file), join(scratch, file))
  }
  for (const { path, code } of CASES) {
    mkdirSync(dirname(join(scratch, path)), { recursive: true })
    writeFileSync(join(scratch, path), `${code}\n`)
  }
  found = errorsByFile()
})

afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** Rules that report an error, by file of the scratch tree. */
function errorsByFile(): ReadonlyMap<string, readonly string[]> {
  const biome = join(ROOT, 'node_modules', '@biomejs', 'biome', 'bin', 'biome')
  const options = [
    'lint',
    '--reporter=json',
    '--max-diagnostics=none',
    '--diagnostic-level=error',
    '.'
  ]
  let output: string
  try {
    output = execFileSync(process.execPath, [biome, ...options], {
      cwd: scratch,
      encoding: 'utf8',
      stdio: 'pipe'
    })
  } catch (error) {
    output = (error as { stdout: string }).stdout
  }
  const report = JSON.parse(output) as {
    diagnostics: { category: string; severity: string; location: { path: string } }[]
  }
  const byFile = new Map<string, string[]>()
  for (const { category, severity, location } of report.diagnostics) {
    if (severity !== 'error') continue
    const rule = category.split('/').at(-1) ?? category
    byFile.set(location.path, [...(byFile.get(location.path) ?? []), rule])
  }
  return byFile
}

test.each(CASES)('$sentence', ({ path, rule }) => {
  expect(found.get(path) ?? []).toEqual(rule === undefined ? [] : expect.arrayContaining([rule]))
})

test('no two cases share a file', () => {
  expect(new Set(CASES.map(({ path }) => path)).size).toBe(CASES.length)
})
