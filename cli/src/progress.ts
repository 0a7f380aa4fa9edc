// What a person sees of a wait: nothing for a second, then what is waited for and for how long. Only on a terminal.
import type { Clock } from './clock.ts'
import type { SafeText, Stream } from './output.ts'

/** What is over by then needs no words. */
const SILENT_MS = 1_000
const STEP_MS = 1_000
/** Erase the line and go to its beginning: ECMA-48 §8.3.41. */
const ERASE = '\r\u001B[K'

export interface ProgressInit {
  readonly stderr: Stream
  readonly clock: Clock
  readonly json: boolean
}

/** Shows the text while the work goes on; whatever the work does, nothing of it stays on the screen. */
export async function whileWaiting<T>(
  { stderr, clock, json }: ProgressInit,
  what: SafeText,
  work: Promise<T>
): Promise<T> {
  if (json || !stderr.isTerminal) return await work
  let seconds = 0
  let isShown = false
  let cancel = (): void => undefined
  const step = (): void => {
    seconds += 1
    isShown = true
    void stderr.write(`${ERASE}${what.text} … ${seconds} s`)
    cancel = clock.schedule(STEP_MS, step)
  }
  cancel = clock.schedule(SILENT_MS, step)
  try {
    return await work
  } finally {
    cancel()
    if (isShown) await stderr.write(ERASE)
  }
}
