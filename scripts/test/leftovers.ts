// What a run left behind: processes that still name its folder, files that still are in it.
import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** Ids of running processes, other than this one, whose command line or environment names the folder. */
export function processesNaming(folder: string): number[] {
  if (!existsSync('/proc/self/cmdline'))
    throw new Error('this check reads /proc, which is not here')
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => ['cmdline', 'environ'].some((part) => holds(`/proc/${name}/${part}`, folder)))
    .map(Number)
}

function holds(file: string, text: string): boolean {
  try {
    return readFileSync(file, 'utf8').includes(text)
  } catch {
    // It ended between listing and reading, or belongs to somebody else.
    return false
  }
}

/** Every file and folder below `folder`, relative to it. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
}
