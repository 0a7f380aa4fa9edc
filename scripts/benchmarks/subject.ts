// What a <subject>.bench.ts exports as `subject`, and what it is given.
import type { Figure } from './report.ts'

export interface BenchmarkOptions {
  readonly rounds: number
  /** Small counts, to see that it runs; the figures mean nothing. */
  readonly quick: boolean
  /** Fresh folder for stores and sockets; removed afterwards. */
  readonly folder: string
  /** Takes a processor profile of the process under test, where the subject supports it. */
  readonly profileFolder?: string
  /** Whether to measure a figure; a name's beginning can be asked for on the command line. */
  readonly wants: (name: string) => boolean
  /** One line on standard error. */
  readonly progress: (text: string) => void
  /** Called with each figure as soon as it is known. */
  readonly report: (figure: Figure) => void
}

export interface Subject {
  /** One sentence for the list of subjects. */
  readonly summary: string
  /** Stops everything it started, also when it fails. */
  run(options: BenchmarkOptions): Promise<void>
}
