// Waits are silent for a second, then say what is waited for, and leave nothing on the screen.
import { expect, it } from 'vitest'
import { line } from '../src/output.ts'
import { whileWaiting } from '../src/progress.ts'

function screen(isTerminal: boolean) {
  let text = ''
  const due: (() => void)[] = []
  const clock = {
    now: () => 0,
    schedule(_: number, callback: () => void) {
      due.push(callback)
      return () => void due.splice(due.indexOf(callback), 1)
    }
  }
  const stderr = {
    isTerminal,
    async write(more: string) {
      text += more
    }
  }
  return { clock, stderr, text: () => text, second: () => due.shift()?.(), due }
}

it('says what is waited for, by the second, and wipes it', async () => {
  const { clock, stderr, text, second, due } = screen(true)
  const work = Promise.withResolvers<number>()
  const waiting = whileWaiting(
    { stderr, clock, json: false },
    line`asking ${'b\u001Bob'}`,
    work.promise
  )
  expect(text()).toBe('')
  second()
  second()
  expect(text()).toBe('\r\u001B[Kasking b␛ob … 1 s\r\u001B[Kasking b␛ob … 2 s')
  work.resolve(5)
  expect(await waiting).toBe(5)
  expect(text().endsWith('\r\u001B[K')).toBe(true)
  expect(due).toEqual([])
})

it('says nothing of what is quick, to programs, or elsewhere than on a terminal', async () => {
  for (const [isTerminal, json] of [
    [true, true],
    [false, false]
  ] as const) {
    const { clock, stderr, text, due } = screen(isTerminal)
    await whileWaiting({ stderr, clock, json }, line`x`, Promise.resolve())
    expect([text(), due]).toEqual(['', []])
  }
  const quick = screen(true)
  const failing = whileWaiting({ ...quick, json: false }, line`x`, Promise.reject(new Error('no')))
  await expect(failing).rejects.toThrow('no')
  expect([quick.text(), quick.due]).toEqual(['', []])
})
