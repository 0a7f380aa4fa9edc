// Reads a processor profile (V8's .cpuprofile) and says where the time went.
import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The part of a .cpuprofile that is read here (Chrome DevTools Protocol, Profiler.Profile). */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: {
      readonly functionName: string
      readonly url: string
      readonly lineNumber: number
    }
  }[]
  readonly samples: readonly number[]
  /** Microseconds between samples. */
  readonly timeDeltas: readonly number[]
}

const IDLE = new Set(['(idle)', '(root)'])

/** One line per function with the largest self time in the folder's profiles, idle time left out. */
export async function hottest(folder: string, count: number): Promise<readonly string[]> {
  const root = fileURLToPath(new URL('../../..', import.meta.url))
  const selfMicros = new Map<string, number>()
  let total = 0
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.cpuprofile')) continue
    const profile = JSON.parse(await readFile(join(folder, name), 'utf8')) as CpuProfile
    const places = new Map(profile.nodes.map(({ id, callFrame }) => [id, placeOf(callFrame, root)]))
    profile.samples.forEach((id, index) => {
      const place = places.get(id) ?? ''
      const micros = profile.timeDeltas[index] ?? 0
      if (IDLE.has(place)) return
      selfMicros.set(place, (selfMicros.get(place) ?? 0) + micros)
      total += micros
    })
  }
  return [...selfMicros]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, count)
    .map(([place, micros]) => `${((micros / total) * 100).toFixed(1).padStart(5)} %  ${place}`)
}

function placeOf(
  frame: { functionName: string; url: string; lineNumber: number },
  root: string
): string {
  const name = frame.functionName || '(anonymous)'
  if (frame.url === '') return name
  const file = frame.url.startsWith('file:') ? relative(root, fileURLToPath(frame.url)) : frame.url
  return `${name}  ${file}:${frame.lineNumber + 1}`
}
