// The runner of pure machines: order, durability, failure.
import { describe, expect, it } from 'vitest'
import { type CommitEffect, INPUTS_WAITING_MAX, Machine } from '../../src/kernel/index.ts'
import { settled } from '../../src/testing/index.ts'

type Effect = { readonly type: 'say'; readonly text: string; readonly after?: number }
type Input = readonly (Effect | CommitEffect<string>)[]

/** A machine whose inputs are the effects of their step; the disk answers when told to. */
function create(options: { onSay?: (text: string) => void } = {}) {
  const said: string[] = []
  const failures: unknown[] = []
  const commits: PromiseWithResolvers<void>[] = []
  const machine = new Machine<number, Input, Effect, string>(
    0,
    (state, _nowMs, effects) => ({ state: state + 1, effects }),
    {
      commit() {
        const commit = Promise.withResolvers<void>()
        commits.push(commit)
        return commit.promise
      },
      perform({ text }) {
        said.push(text)
        options.onSay?.(text)
      },
      now: () => 0,
      onFailure: (error) => failures.push(error)
    }
  )
  return { machine, said, failures, commits }
}

const say = (text: string, after?: number): Effect =>
  after === undefined ? { type: 'say', text } : { type: 'say', text, after }
const commit = (transaction: number): CommitEffect<string> => ({
  type: 'commit',
  transaction,
  writes: []
})

describe('a machine', () => {
  it('performs what depends on a transaction only once it is on disk', async () => {
    const { machine, said, commits } = create()
    machine.dispatch([commit(1), say('stored', 1), say('now')])
    await settled()
    expect(said).toEqual(['now'])
    commits[0]?.resolve()
    await settled()
    expect(said).toEqual(['now', 'stored'])
    machine.dispatch([say('already on disk', 1)])
    expect(said.at(-1)).toBe('already on disk')
  })

  it('keeps the order of transactions whichever the disk finishes first', async () => {
    const { machine, said, commits } = create()
    machine.dispatch([commit(1), say('first', 1)])
    machine.dispatch([commit(2), say('second', 2)])
    expect(machine.pendingTransactions).toBe(2)
    commits[1]?.resolve()
    await settled()
    expect(said).toEqual([])
    commits[0]?.resolve()
    await settled()
    expect(said).toEqual(['first', 'second'])
    expect(machine.pendingTransactions).toBe(0)
  })

  it('handles an input that an effect feeds back after the one being handled', () => {
    const { machine, said } = create({
      onSay: (text) => {
        if (text === 'a') machine.dispatch([say('fed back')])
      }
    })
    machine.dispatch([say('a'), say('b')])
    expect(said).toEqual(['a', 'b', 'fed back'])
    expect(machine.state).toBe(2)
  })
})

describe('a machine fails for good', () => {
  it('when a commit does: nothing that waited is performed, no input is taken', async () => {
    const { machine, said, failures, commits } = create()
    machine.dispatch([commit(1), say('first', 1)])
    machine.dispatch([commit(2), say('second', 2)])
    commits[0]?.reject(new Error('disk full'))
    commits[1]?.resolve()
    await settled()
    machine.dispatch([say('after the end')])
    expect(said).toEqual([])
    expect(failures).toEqual([new Error('disk full')])
  })

  it('when an effect names a transaction that was never started', () => {
    const { machine, said, failures } = create()
    machine.dispatch([say('acknowledged', 1), commit(1)])
    expect(said).toEqual([])
    expect(failures).toHaveLength(1)
  })

  it('when a transaction number is used again', () => {
    const { machine, failures } = create()
    machine.dispatch([commit(2)])
    machine.dispatch([commit(2)])
    expect(failures).toHaveLength(1)
  })

  it('when an effect throws, also one that waited for the disk', async () => {
    const { machine, said, failures, commits } = create({
      onSay: () => {
        throw new Error('no')
      }
    })
    machine.dispatch([commit(1), say('stored', 1), say('too', 1)])
    commits[0]?.resolve()
    await settled()
    expect(said).toEqual(['stored'])
    expect(failures).toEqual([new Error('no')])
  })

  it('when its effects feed it without end', () => {
    const { machine, failures } = create({
      onSay: () => {
        machine.dispatch([say('twice')])
        machine.dispatch([say('as many')])
      }
    })
    machine.dispatch([say('once')])
    expect(String(failures[0])).toContain(`${INPUTS_WAITING_MAX} inputs`)
    expect(failures).toHaveLength(1)
  })
})
