// Checks of where things are: names, sizes, depth, and the four things every protocol folder holds.
import { type Finding, isGenerated, type SourceFile } from './finding.ts'

/** Above this, look for the second noun. */
const LINES_MAX = 300

/** A test file or suite is a list of sentences, read one by one. */
const TEST_LINES_MAX = 500

/** Files that may be longer, each as long as its reason allows. */
const LONG_FILES: ReadonlyMap<string, { readonly linesMax: number; readonly why: string }> =
  new Map([
    [
      'node/src/messenger.ts',
      { linesMax: 420, why: 'the one place that builds every component and joins them' }
    ],
    [
      'node/src/delivery/delivery.ts',
      { linesMax: 400, why: 'the shell that performs every effect of its machine' }
    ]
  ])

/** A file that one sitting does not hold is split by noun; an exception that is not needed is taken back. */
export function fitsOneSitting({ path, text }: SourceFile): Finding[] {
  if (!/\.tsx?$/.test(path) || isGenerated(path)) return []
  const lines = text.trimEnd().split('\n').length
  const exception = LONG_FILES.get(path)
  if (exception !== undefined && lines <= LINES_MAX) {
    return [{ path, line: 1, message: 'is no longer long: take it off LONG_FILES' }]
  }
  const isTest = /(?:\/test|\/testing\/suites)\//.test(path)
  const linesMax = exception?.linesMax ?? (isTest ? TEST_LINES_MAX : LINES_MAX)
  if (lines <= linesMax) return []
  return [
    { path, line: linesMax + 1, message: `${lines} lines, more than ${linesMax}: split by noun` }
  ]
}

/** No drawer for odds and ends: a name says the noun. */
export function namesTheNoun({ path }: SourceFile): Finding[] {
  const drawer = /(?:^|[/.-])(utils?|helpers?|common|misc)(?=[/.-]|$)/.exec(path)
  if (drawer === null) return []
  return [{ path, line: 1, message: `"${drawer[1]}" says nothing: name the noun` }]
}

const DEEPER =
  /^(?:node\/src\/(?:kernel\/[\w-]+(?:\/[\w-]+)?|testing\/[\w-]+)\/|protocols\/src\/[\w-]+\/pb\/)/

/** src/feature/part.ts is deep enough, and the import arrows are written for that depth. */
export function staysShallow({ path }: SourceFile): Finding[] {
  const inside = /^(?:protocols|node)\/src\/(.*)$/.exec(path.replace(DEEPER, 'node/src/x/'))?.[1]
  if (inside === undefined || inside.split('/').length <= 2) return []
  return [{ path, line: 1, message: 'deeper than src/feature/part.ts: import arrows end there' }]
}

/** Every protocol folder holds its spec, its messages, its door and its vectors. */
export function completesProtocols(files: readonly SourceFile[]): Finding[] {
  const paths = new Set(files.map(({ path }) => path))
  const names = new Set<string>()
  for (const path of paths) {
    const name = /^protocols\/src\/([\w-]+)\/.+/.exec(path)?.[1]
    if (name !== undefined) names.add(name)
  }
  const vectors = [...paths].flatMap((path) => {
    const vector = /^protocols\/test\/vectors\/([\w-]+)\.json$/.exec(path)?.[1]
    return vector ?? []
  })
  return [...names].flatMap((name) => {
    const folder = `protocols/src/${name}`
    const parts = [
      `${folder}/README.md`,
      `${folder}/index.ts`,
      `${folder}/pb/${name}.proto`,
      `${folder}/pb/${name}.ts`
    ].filter((part) => !paths.has(part))
    if (!vectors.some((vector) => vector === name || vector.startsWith(`${name}-`))) {
      parts.push(`protocols/test/vectors/${name}.json`)
    }
    return parts.map((part) => ({
      path: folder,
      line: 1,
      message: `${part} is missing: a protocol has it`
    }))
  })
}
