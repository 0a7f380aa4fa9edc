// Interleaved rounds (A B A B …): a machine that slows down slows every side down alike.
import { loadavg } from 'node:os'
import { median } from './statistics.ts'

export interface Side<Sample> {
  readonly name: string
  measure(): Promise<Sample>
}

export interface Rounds<Sample> {
  readonly count: number
  /** Median of the one-minute load average at the start of each round. */
  readonly load: number
  /** Median of one value over the rounds; undefined for a side that is not there. */
  median(side: string, value: (sample: Sample) => number): number | undefined
}

/** Measures each side once a round, in the order given. A failure of any side ends the run. */
export async function interleave<Sample>(
  sides: readonly Side<Sample>[],
  options: { readonly rounds: number; readonly progress: (text: string) => void }
): Promise<Rounds<Sample>> {
  const samples = new Map<string, Sample[]>(sides.map((side) => [side.name, []]))
  const loads: number[] = []
  for (let round = 1; round <= options.rounds; round++) {
    loads.push(loadavg()[0] ?? 0)
    for (const side of sides) {
      options.progress(`round ${round}/${options.rounds} ${side.name}`)
      samples.get(side.name)?.push(await side.measure())
    }
  }
  return {
    count: options.rounds,
    load: median(loads),
    median(side, value) {
      const found = samples.get(side)
      return found === undefined ? undefined : median(found.map(value))
    }
  }
}
