// The style test: what no linter knows. Prints one line a finding, `file:line: what and why`, and exits 1 if
// there is any.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  documentsExports,
  namesIssues,
  opensWithComment,
  staysOnSubject
} from './tidy/documentation.ts'
import type { Finding, SourceFile } from './tidy/finding.ts'
import { completesProtocols, fitsOneSitting, namesTheNoun, staysShallow } from './tidy/layout.ts'
import { namesLicense, pinsTsMls, pinsVersions } from './tidy/packages.ts'
import {
  asksTheKernel,
  importsInSight,
  keepsBrowserSafe,
  keepsStatePure,
  logsNobody,
  runsEveryTest,
  silencesNothing
} from './tidy/purity.ts'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const TEXT = /\.(?:tsx?|js|json|md|proto|txt)$/

/** These name what they look for. */
const ABOUT_STYLE = /^scripts\/(?:tidy\/|test\/tidy)/

const FILE_CHECKS = [
  opensWithComment,
  documentsExports,
  namesIssues,
  staysOnSubject,
  fitsOneSitting,
  namesTheNoun,
  staysShallow,
  pinsVersions,
  namesLicense,
  pinsTsMls,
  asksTheKernel,
  keepsStatePure,
  keepsBrowserSafe,
  silencesNothing,
  importsInSight,
  logsNobody,
  runsEveryTest
]

function repositoryFiles(): SourceFile[] {
  const listed = execFileSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    {
      cwd: ROOT,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024
    }
  )
  return [...new Set(listed.split('\0'))]
    .filter((path) => TEXT.test(path) && !ABOUT_STYLE.test(path) && existsSync(join(ROOT, path)))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))
}

const files = repositoryFiles()
const findings: Finding[] = [
  ...files.flatMap((file) => FILE_CHECKS.flatMap((check) => check(file))),
  ...completesProtocols(files)
]
for (const { path, line, message } of findings)
  process.stdout.write(`${path}:${line}: ${message}\n`)
process.stdout.write(`tidy: ${files.length} files, ${findings.length} findings\n`)
process.exitCode = findings.length === 0 ? 0 : 1
