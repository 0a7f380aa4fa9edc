// Checks of the package manifests and the lock file: exact versions, one licence, one version of ts-mls.
import { type Finding, lineAt, type SourceFile } from './finding.ts'

const LICENSE = 'Apache-2.0 OR MIT'

/** 2.0.0-rc.10 lets a removed member read on; a test of the node shows it. */
const TS_MLS = '1.6.4'

const EXACT = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/
const DEPENDENCY_KINDS = [
  'dependencies',
  'devDependencies',
  'optionalDependencies',
  'peerDependencies'
]

type Manifest = { readonly [key: string]: unknown }

const isManifest = (path: string) => /(?:^|\/)package\.json$/.test(path)

function parse({ text }: SourceFile): Manifest {
  return JSON.parse(text) as Manifest
}

/** What is installed is what was reviewed: no range, no tag, no address. */
export function pinsVersions(file: SourceFile): Finding[] {
  if (!isManifest(file.path)) return []
  const manifest = parse(file)
  return DEPENDENCY_KINDS.flatMap((kind) =>
    Object.entries((manifest[kind] ?? {}) as Record<string, string>)
      .filter(([, version]) => !EXACT.test(version))
      .map(([name, version]) => ({
        path: file.path,
        line: lineAt(file.text, file.text.indexOf(`"${name}": "${version}"`)),
        message: `${name} ${version} is not an exact version`
      }))
  )
}

/** Every package offers the same choice of licence. */
export function namesLicense(file: SourceFile): Finding[] {
  if (!isManifest(file.path) || parse(file).license === LICENSE) return []
  return [{ path: file.path, line: 1, message: `"license" is not "${LICENSE}"` }]
}

/** The lock file holds ts-mls once, at the one version that keeps removed members out. */
export function pinsTsMls(file: SourceFile): Finding[] {
  if (file.path !== 'package-lock.json') return []
  const packages = (parse(file).packages ?? {}) as Record<string, { version?: string }>
  const versions = Object.entries(packages)
    .filter(([path]) => /(?:^|\/)node_modules\/ts-mls$/.test(path))
    .map(([, { version }]) => version)
  if (versions.length === 1 && versions[0] === TS_MLS) return []
  const held = versions.length === 0 ? 'none' : versions.join(', ')
  return [
    { path: file.path, line: 1, message: `ts-mls must be ${TS_MLS} exactly once; held: ${held}` }
  ]
}
