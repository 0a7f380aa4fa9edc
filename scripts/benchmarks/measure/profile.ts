// Reads a processor profile (V8's .cpuprofile) and says where the time went.
import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The part of a .cpuprofile that is read here (Chrome DevTools Protocol, Profiler.Profile). */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: Frame
  }[]
  readonly samples: readonly number[]
  /** Microseconds between samples. */
  readonly timeDeltas: readonly number[]
}

interface Frame {
  readonly functionName: string
  readonly url: string
  readonly lineNumber: number
}

export interface HotSpots {
  /** Self time per function, largest first: `percent  function  file:line`. */
  readonly functions: readonly string[]
  /** Self time per package of ours, of others and of the runtime. */
  readonly owners: readonly string[]
}

/** Not work: the process waited, or the profiler did not look. */
const NOT_WORK = new Set(['(idle)', '(root)'])
const OWNERS_SHOWN = 20

/** Where the time of the folder's profiles went, as lines to print. Idle time counts for nothing. */
export async function hotSpots(folder: string, functionsShown: number): Promise<HotSpots> {
  const root = fileURLToPath(new URL('../../..', import.meta.url))
  const functions = new Map<string, number>()
  const owners = new Map<string, number>()
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.cpuprofile')) continue
    const profile = JSON.parse(await readFile(join(folder, name), 'utf8')) as CpuProfile
    const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]))
    profile.samples.forEach((id, index) => {
      const frame = frames.get(id)
      if (frame === undefined || NOT_WORK.has(frame.functionName)) return
      const micros = profile.timeDeltas[index] ?? 0
      const file = fileOf(frame, root)
      add(functions, `${frame.functionName || '(anonymous)'}  ${placeOf(frame, file)}`, micros)
      add(owners, ownerOf(frame, file), micros)
    })
  }
  return { functions: sharesOf(functions, functionsShown), owners: sharesOf(owners, OWNERS_SHOWN) }
}

function add(sums: Map<string, number>, name: string, value: number): void {
  sums.set(name, (sums.get(name) ?? 0) + value)
}

function sharesOf(sums: ReadonlyMap<string, number>, shown: number): string[] {
  const total = Array.from(sums.values()).reduce((sum, value) => sum + value, 0)
  return [...sums]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, shown)
    .map(([name, value]) => `${((value / total) * 100).toFixed(1).padStart(5)} %  ${name}`)
}

function fileOf({ url }: Frame, root: string): string {
  return url.startsWith('file:') ? relative(root, fileURLToPath(url)) : url
}

function placeOf(frame: Frame, file: string): string {
  return file === '' ? '(native)' : `${file}:${frame.lineNumber + 1}`
}

/** `@libp2p/noise`, `node/kernel/store`, `node:internal/crypto`, or the name of what is not JavaScript. */
function ownerOf(frame: Frame, file: string): string {
  if (file === '') return frame.functionName
  const dependency = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1]
  if (dependency !== undefined) return dependency
  if (file.startsWith('node:')) return file.split('/').slice(0, 2).join('/')
  return file.replace('/dist/', '/').split('/').slice(0, -1).join('/')
}
