// Reads message texts from standard input: all of it as one text, or a text a line. Never holds more than one message.
import { envelope } from '@kith/protocols'
import type { InputStream } from './command.ts'
import { CommandError } from './errors.ts'
import { checkText, refuseSize } from './message-text.ts'
import { createLineSplitter, type Line } from './socket/lines.ts'

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes)
  } catch {
    throw new CommandError('bad-text', 'The text is not valid UTF-8. Nothing was sent.')
  }
}

/** All of standard input without the last line break. Throws `message-too-long` after counting how much there was. */
export async function readInputText(stdin: InputStream): Promise<string> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const chunk of stdin.bytes) {
    length += chunk.byteLength
    // Two bytes more than a message, for the line break that is taken off.
    if (length <= envelope.TEXT_BYTES_MAX + 2) parts.push(chunk)
  }
  if (length > envelope.TEXT_BYTES_MAX + 2) refuseSize(length)
  return decode(Buffer.concat(parts)).replace(/\r?\n$/, '')
}

/** A line that can be sent, or why it cannot. Blank lines are not messages and are left out. */
export type InputLine = { readonly text: string } | { readonly failure: unknown }

/** The lines of standard input, until its end or until the signal aborts. */
export async function* readInputLines(
  stdin: InputStream,
  signal: AbortSignal
): AsyncIterable<InputLine> {
  const splitter = createLineSplitter(envelope.TEXT_BYTES_MAX)
  const chunks = stdin.bytes[Symbol.asyncIterator]()
  const aborted = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
  while (!signal.aborted) {
    const chunk = await Promise.race([chunks.next(), aborted])
    if (chunk === undefined || chunk.done === true) break
    for (const found of splitter.push(chunk.value)) yield* toInput(found)
  }
  const last = splitter.end()
  if (last !== undefined && !signal.aborted) yield* toInput(last)
}

function* toInput(found: Line): Iterable<InputLine> {
  try {
    const text = found.kind === 'line' ? decode(found.bytes) : refuseSize(found.byteLength)
    if (text.trim() !== '') yield { text: checkText(text) }
  } catch (failure) {
    yield { failure }
  }
}
