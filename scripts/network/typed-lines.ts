// Lines of standard input as they come, without waiting for ever on an input that nobody feeds or ends.
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'

/** How long an open input may stay silent: at the start it then counts as empty, later as ended. */
const PATIENCE = { firstMs: 3_000, nextMs: 60_000 }

/** More than anybody reads; the rest of a longer input is left unread. */
const LINES_MAX = 1_000

/** Yields up to LINES_MAX lines until the input ends, falls silent, or the signal aborts. */
export async function* typedLines(
  input: Readable,
  signal: AbortSignal,
  patience = PATIENCE
): AsyncGenerator<string> {
  const reader = createInterface({ input })
  const lines = reader[Symbol.asyncIterator]()
  try {
    for (let count = 0; count < LINES_MAX && !signal.aborted; count++) {
      const timeoutMs = count === 0 ? patience.firstMs : patience.nextMs
      const next = await nextWithin(lines, { timeoutMs, signal })
      if (next === undefined || next.done === true) return
      yield next.value
    }
  } finally {
    reader.close()
    input.destroy()
  }
}

/** What comes first: the next line, or undefined after a silence or an abort. */
async function nextWithin<T>(
  lines: AsyncIterator<T, undefined>,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal }
): Promise<IteratorResult<T, undefined> | undefined> {
  const arrived = new AbortController()
  const pause = setTimeout(timeoutMs, undefined, {
    signal: AbortSignal.any([signal, arrived.signal])
  }).catch(() => undefined)
  try {
    return await Promise.race([lines.next(), pause])
  } finally {
    arrived.abort()
  }
}
