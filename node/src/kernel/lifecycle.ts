// Starts components in order and stops them in reverse; stopping is bounded, so that one that hangs cannot keep
// the rest (and the process) alive.
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'

export interface Component {
  readonly name: string
  start?(): Promise<void> | void
  stop?(): Promise<void> | void
}

export interface Lifecycle {
  /** Starts one more; when it fails, everything started before is stopped and the error rethrown. */
  start(component: Component): Promise<void>
  /** Stops all in reverse order of start. Does not throw; a second call waits for the first. */
  stop(): Promise<void>
}

/** `stopTimeoutMs` bounds each component's stop. */
export function createLifecycle(options: {
  readonly clock: Pick<Clock, 'schedule'>
  readonly log: Log
  readonly stopTimeoutMs: number
}): Lifecycle {
  const started: Component[] = []
  let stopping: Promise<void> | undefined

  async function stopOne(component: Component): Promise<void> {
    const { promise: tooLate, resolve } = Promise.withResolvers<'late'>()
    const cancel = options.clock.schedule(options.stopTimeoutMs, () => resolve('late'))
    try {
      const outcome = await Promise.race([Promise.resolve(component.stop?.()), tooLate])
      if (outcome === 'late') options.log.error('component did not stop', { name: component.name })
    } catch (error) {
      // The others still have to be stopped.
      options.log.error('component failed to stop', { name: component.name, error: String(error) })
    } finally {
      cancel()
    }
  }

  async function stopAll(): Promise<void> {
    for (let next = started.pop(); next !== undefined; next = started.pop()) await stopOne(next)
  }

  function stop(): Promise<void> {
    stopping ??= stopAll()
    return stopping
  }

  return {
    async start(component) {
      if (stopping !== undefined) throw new Error('already stopped')
      try {
        await component.start?.()
      } catch (error) {
        await stop()
        throw error
      }
      started.push(component)
    },
    stop
  }
}
