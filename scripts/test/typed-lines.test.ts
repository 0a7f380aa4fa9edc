// Reading standard input: line by line as it comes, and never waiting for ever.
import { createReadStream } from 'node:fs'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { typedLines } from '../network/typed-lines.ts'

const never = new AbortController().signal

async function collect(lines: AsyncIterable<string>): Promise<string[]> {
  const collected: string[] = []
  for await (const line of lines) collected.push(line)
  return collected
}

test('every line is read, in order, with and without an end of line', async () => {
  const input = new PassThrough()
  input.end('one\n\nשלום 🙂\nlast')
  expect(await collect(typedLines(input, never))).toEqual(['one', '', 'שלום 🙂', 'last'])
})

test('an empty device ends at once', async () => {
  expect(await collect(typedLines(createReadStream('/dev/null'), never))).toEqual([])
})

test('an abort ends the wait on an input that stays open', async () => {
  const input = new PassThrough()
  const interrupted = new AbortController()
  const lines = collect(typedLines(input, interrupted.signal))
  input.write('one\n')
  setImmediate(() => interrupted.abort())
  expect(await lines).toEqual(['one'])
  expect(input.destroyed).toBe(true)
})

test('an input that stays open and silent counts as ended', async () => {
  const input = new PassThrough()
  input.write('one\n')
  const patience = { firstMs: 60_000, nextMs: 10 }
  expect(await collect(typedLines(input, never, patience))).toEqual(['one'])
  expect(await collect(typedLines(new PassThrough(), never, { ...patience, firstMs: 10 }))).toEqual(
    []
  )
})
