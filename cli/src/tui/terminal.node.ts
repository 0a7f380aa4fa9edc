// The terminal of a full-screen program: the modes it is put into and taken out of again, whatever happens, and the keys
// that come from it. Drawing is ink's.
import type { ReadStream, WriteStream } from 'node:tty'
import type { Clock } from '../clock.ts'
import { type Key, KeyDecoder } from './key-decoder.ts'

/** An Escape alone is the key when nothing follows within this time; over a slow line sequences arrive in pieces. */
const ESCAPE_MS = 60

/**
 * No wrapping (DECAWM): where terminal and program disagree about the width of a character, a row is cut, not broken.
 * Bracketed paste. Kitty's protocol, which tells Shift-Enter from Enter; terminals without it ignore the request.
 */
const ENTER = '\u001B[?7l\u001B[?2004h\u001B[>1u'
const LEAVE = '\u001B[<u\u001B[?2004l\u001B[?7h'

export interface Keyboard {
  onKey(key: Key): void
  onResize(size: { columns: number; rows: number }): void
  /** The terminal is gone. */
  onEnd(): void
}

/** Turns the modes on, and everything that comes into keys; the returned function takes all of it back. */
export function takeTerminal(
  input: ReadStream,
  output: WriteStream,
  { clock, keyboard }: { clock: Clock; keyboard: Keyboard }
): () => void {
  const decoder = new KeyDecoder()
  const bytes = new TextDecoder()
  let cancelFlush = (): void => undefined
  const give = (keys: readonly Key[]) => {
    for (const key of keys) keyboard.onKey(key)
  }
  const onData = (chunk: Uint8Array | string) => {
    cancelFlush()
    give(decoder.push(typeof chunk === 'string' ? chunk : bytes.decode(chunk, { stream: true })))
    if (decoder.isPending) cancelFlush = clock.schedule(ESCAPE_MS, () => give(decoder.flush()))
  }
  const onResize = () => keyboard.onResize(sizeOf(output))
  const onEnd = () => keyboard.onEnd()
  const restore = () => {
    process.off('exit', restore)
    cancelFlush()
    input.off('data', onData).off('end', onEnd).off('error', onEnd)
    output.off('resize', onResize)
    output.write(LEAVE)
    input.setRawMode(false)
    input.pause()
  }
  process.on('exit', restore)
  output.write(ENTER)
  input.setRawMode(true)
  input.on('data', onData).on('end', onEnd).on('error', onEnd)
  output.on('resize', onResize)
  input.resume()
  return restore
}

/** Into the clipboard of the person's own machine, also over ssh (xterm, OSC 52); terminals that do not know it ignore it. */
export const copyThrough = (output: WriteStream, text: string): void => {
  output.write(`\u001B]52;c;${Buffer.from(text, 'utf8').toString('base64')}\u001B\\`)
}

/** What a terminal that does not tell its size most likely has. */
export const sizeOf = ({ columns, rows }: Pick<WriteStream, 'columns' | 'rows'>) => ({
  columns: columns || 80,
  rows: rows || 24
})

/** LEFT-TO-RIGHT MARK: takes no room, and keeps what stands beside it apart where a terminal turns right-to-left text. */
const MARK = '\u200E'

/**
 * The stream for ink, which drops invisible characters: marks behind the lines between panes come in after it, so that a
 * right-to-left name does not change places with the message beside it. Behind, not in front, because xterm.js gives a
 * mark that follows a change of colour a cell of its own.
 */
export function keepPanesApart(output: WriteStream): WriteStream {
  const write = (text: string, ...rest: []) =>
    output.write(typeof text === 'string' ? text.replaceAll('│', `│${MARK}`) : text, ...rest)
  return new Proxy(output, {
    get(target, key) {
      if (key === 'write') return write
      const value = Reflect.get(target, key) as unknown
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
}
