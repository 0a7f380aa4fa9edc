// Time for the commands: the only place of this package that asks for "now" or starts a timer. A second command on an
// open store never loads the messenger, so the kernel's clock is not at hand here; the shape is the same.

export interface Clock {
  /** Milliseconds since 1970-01-01 UTC. */
  now(): number
  /** Calls back once after `delayMs`; the returned function cancels. Does not keep the process alive. */
  schedule(delayMs: number, callback: () => void): () => void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  schedule(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    timer.unref()
    return () => clearTimeout(timer)
  }
}

/** Resolves after `delayMs`, or at once when the signal aborts; the caller looks at the signal. */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const finish = () => {
      cancel()
      signal.removeEventListener('abort', finish)
      resolve()
    }
    const cancel = clock.schedule(delayMs, finish)
    signal.addEventListener('abort', finish, { once: true })
  })
}

/** Aborts after `delayMs` or with `parent`, whichever is first; `cancel` frees the timer. */
export function deadline(
  clock: Clock,
  delayMs: number,
  parent: AbortSignal
): { readonly signal: AbortSignal; cancel(): void } {
  const controller = new AbortController()
  const cancel = clock.schedule(delayMs, () => controller.abort())
  return { signal: AbortSignal.any([controller.signal, parent]), cancel }
}
