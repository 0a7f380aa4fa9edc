// Lines of standard input as they come, without waiting for ever on an input that nobody feeds or ends.
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

/** An open input that stays silent this long at the start counts as empty. */
const FIRST_LINE_MS = 3_000

/** An open input that falls silent this long counts as ended. */
const NEXT_LINE_MS = 60_000

/** More than anybody reads; the rest of a longer input is left unread. */
const LINES_MAX = 1_000

/** Yields up to LINES_MAX lines until the input ends, falls silent, or the signal aborts. */
export async function* typedLines(input: Readable, signal: AbortSignal): AsyncGenerator<string> {
  const reader = createInterface({ input })
  const lines = reader[Symbol.asyncIterator]()
  try {
    for (let count = 0; count < LINES_MAX && !signal.aborted; count++) {
      const next = await Promise.race([
        lines.next(),
        silence(count === 0 ? FIRST_LINE_MS : NEXT_LINE_MS, signal)
      ])
      if (next === undefined || next.done === true) return
      yield next.value
    }
  } finally {
    reader.close()
    input.destroy()
  }
}

function silence(timeoutMs: number, signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, timeoutMs, undefined)
    timer.unref()
    signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
}
