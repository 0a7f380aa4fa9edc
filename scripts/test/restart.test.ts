// Both nodes go down, gently and by kill -9, and come back with everything they had.
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { Stage } from '../network/kith.ts'

const PEER = join(import.meta.dirname, '..', 'storm', 'peer.ts')
const RUN_MS = 90_000
const WAIT = { timeoutMs: 30_000 }

const stage = new Stage(AbortSignal.timeout(RUN_MS))
afterAll(() => stage.close())

async function open(name: string) {
  const peer = stage.processes.start({ name, args: [PEER, stage.home(name)] })
  await peer.line((line) => line.includes('"ready"'), WAIT)
  return peer
}

async function both() {
  const [alice, bob] = await Promise.all([open('alice'), open('bob')])
  const talk = async (text: string) => {
    alice.write(`${text}, says alice`)
    await bob.line(
      (line) => line.includes('received') && line.includes(`${text}, says alice`),
      WAIT
    )
    bob.write(`${text}, says bob`)
    await alice.line(
      (line) => line.includes('received') && line.includes(`${text}, says bob`),
      WAIT
    )
  }
  return { alice, bob, talk }
}

const textsOf = async (name: string, peer: string) =>
  (await stage.messages(name, peer)).messages.map(({ text }) => text)

test('history is the same on both sides after each kind of restart', {
  timeout: RUN_MS
}, async () => {
  await stage.introduce('alice', 'bob')
  const told: string[] = []
  for (const [round, end] of ['stop', 'kill', 'stop'].entries()) {
    const { alice, bob, talk } = await both()
    for (const part of ['first', 'second']) {
      await talk(`${round} ${part}`)
      told.push(`${round} ${part}, says alice`, `${round} ${part}, says bob`)
    }
    if (end === 'kill') await Promise.all([alice.kill(), bob.kill()])
    else await Promise.all([alice.stop(), bob.stop()])
    expect(await textsOf('alice', 'bob')).toEqual(told)
    expect(await textsOf('bob', 'alice')).toEqual(told)
  }
  const [atAlice, atBob] = await Promise.all([
    stage.messages('alice', 'bob'),
    stage.messages('bob', 'alice')
  ])
  expect(atAlice.messages.map(({ id }) => id)).toEqual(atBob.messages.map(({ id }) => id))
  expect([atAlice.gaps, atBob.gaps]).toEqual([[], []])
})
