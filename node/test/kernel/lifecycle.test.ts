// Start in order, stop in reverse, whatever hangs or fails.
import { beforeEach, describe, expect, it } from 'vitest'
import { createLifecycle, type Lifecycle, silentLog } from '../../src/kernel/index.ts'
import { FakeClock } from '../../src/testing/index.ts'

let clock: FakeClock
let lifecycle: Lifecycle
let events: string[]
let errors: unknown[]

beforeEach(() => {
  clock = new FakeClock()
  events = []
  errors = []
  const log = {
    ...silentLog,
    error: (event: string, fields?: unknown) => errors.push([event, fields])
  }
  lifecycle = createLifecycle({ clock, log: log as never, stopTimeoutMs: 1_000 })
})

const component = (name: string, stop: () => Promise<void> | void = () => {}) => ({
  name,
  start: () => void events.push(`start ${name}`),
  stop: () => {
    events.push(`stop ${name}`)
    return stop()
  }
})

describe('a life cycle', () => {
  it('stops in the reverse order of start, once', async () => {
    for (const name of ['a', 'b', 'c']) await lifecycle.start(component(name))
    await Promise.all([lifecycle.stop(), lifecycle.stop()])
    expect(events).toEqual(['start a', 'start b', 'start c', 'stop c', 'stop b', 'stop a'])
    await expect(lifecycle.start(component('d'))).rejects.toThrow('already stopped')
    expect(clock.pendingTimers).toBe(0)
  })

  it('stops what was started when a later start fails', async () => {
    await lifecycle.start(component('a'))
    const failing = { name: 'b', start: () => Promise.reject(new Error('port in use')) }
    await expect(lifecycle.start(failing)).rejects.toThrow('port in use')
    expect(events).toEqual(['start a', 'stop a'])
  })

  it('goes on after one that hangs or fails, and says which', async () => {
    await lifecycle.start(component('a'))
    await lifecycle.start(component('b', () => Promise.reject(new Error('no'))))
    await lifecycle.start(component('c', () => new Promise(() => {})))
    const stopped = lifecycle.stop()
    await clock.advance(1_000)
    await stopped
    expect(events.slice(3)).toEqual(['stop c', 'stop b', 'stop a'])
    expect(errors).toEqual([
      ['component did not stop', { name: 'c' }],
      ['component failed to stop', { name: 'b', error: 'Error: no' }]
    ])
  })
})
