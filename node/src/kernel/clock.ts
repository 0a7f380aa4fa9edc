// Time from outside: the only source of "now" and of timers, so that any run can be replayed.

export interface Clock {
  /** Milliseconds since 1970-01-01 UTC; may jump. For display and expiry that a user sees. */
  now(): number
  /** Monotonic milliseconds from an arbitrary start. For time-outs, rates and back-off. */
  monotonic(): number
  /** Calls back once after `delayMs`; the returned function cancels. Does not keep a process alive. */
  schedule(delayMs: number, callback: () => void): () => void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    if (typeof timer === 'object') timer.unref()
    return () => clearTimeout(timer)
  }
}

/** Resolves after `delayMs` of the clock; rejects with the signal's reason when aborted first. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const cancel = clock.schedule(delayMs, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    const onAbort = () => {
      cancel()
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
