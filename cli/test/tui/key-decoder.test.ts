import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Key, KeyDecoder } from '../../src/tui/key-decoder.ts'

const shown = (key: Key) => (key.type === 'key' ? key.name : `${key.type}:${key.text}`)
const decode = (...pieces: string[]) => {
  const decoder = new KeyDecoder()
  return [...pieces.flatMap((piece) => decoder.push(piece)), ...decoder.flush()].map(shown)
}

describe('keys of a terminal', () => {
  it.each([
    ['a letter', 'a', ['text:a']],
    ['text of any script', 'été 音楽 👩‍👩‍👧', ['text:été 音楽 👩‍👩‍👧']],
    ['Enter behind text', 'hi\r', ['text:hi', 'enter']],
    [
      'control characters',
      '\u0003\u0005\u000E\t\u007F\b\n',
      ['ctrl+c', 'ctrl+e', 'ctrl+n', 'tab', 'backspace', 'backspace', 'ctrl+j']
    ],
    [
      'arrows of CSI and SS3',
      '\u001B[A\u001BOB\u001B[1;5C\u001B[1;2D',
      ['up', 'down', 'ctrl+right', 'shift+left']
    ],
    [
      'Home and End of four kinds',
      '\u001B[H\u001BOF\u001B[1~\u001B[8~',
      ['home', 'end', 'home', 'end']
    ],
    ['pages and Delete', '\u001B[5~\u001B[6~\u001B[3~', ['pageup', 'pagedown', 'delete']],
    ['F1 of xterm, VT220 and the Linux console', '\u001BOP\u001B[11~\u001B[[A', ['f1', 'f1', 'f1']],
    [
      'Alt',
      '\u001B\r\u001Bx\u001B\u007F\u001B\n',
      ['alt+enter', 'alt+x', 'alt+backspace', 'alt+enter']
    ],
    [
      'Shift-Enter of kitty and of xterm',
      '\u001B[13;2u\u001B[27;2;13~',
      ['shift+enter', 'shift+enter']
    ],
    [
      "kitty's Escape, Ctrl-C and plain letters",
      '\u001B[27u\u001B[99;5u\u001B[233u',
      ['escape', 'ctrl+c', 'text:é']
    ],
    ['a lone Escape', '\u001B', ['escape']],
    ['a sequence that nobody knows', '\u001B[99;99X\u001B[?1;2c!', ['text:!']],
    ['a paste', '\u001B[200~a\rb\u001B[31m\u001B[201~c', ['paste:a\rb\u001B[31m', 'text:c']],
    ['lines in one piece from a terminal that marks no paste', 'a\rb\rc', ['paste:a\rb\rc']]
  ])('%s', (_, input, keys) => {
    expect(decode(input)).toEqual(keys)
  })

  it('come in pieces and are put together', () => {
    expect(decode('\u001B', '[', '5', '~')).toEqual(['pageup'])
    expect(decode('\u001B[200~one', '\rtwo\u001B[20', '1~')).toEqual(['paste:one\rtwo'])
  })

  it('of a paste of any length are one text, cut at the end, and none of its lines is typed', () => {
    const pieces = Array.from({ length: 60 }, () => 'line\r'.repeat(1_000))
    const keys = decode('\u001B[200~', ...pieces, '\u001B[20', '1~\r')
    expect(keys).toHaveLength(2)
    expect(keys[0]).toHaveLength('paste:'.length + 131_072)
    expect(keys[1]).toBe('enter')
  })

  it('are heard again at Ctrl-C when a terminal never ends a paste', () => {
    expect(decode('\u001B[200~', 'x', '\u0003', 'y')).toEqual(['ctrl+c', 'text:y'])
  })

  it('never carry a control character as typed text, whatever is sent', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 6 }),
      fc.constantFrom('\u001B', '[', '200~', ';')
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const decoder = new KeyDecoder()
        for (const input of pieces) {
          for (const key of [...decoder.push(input), ...decoder.flush()]) {
            // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be there
            if (key.type === 'text') expect(key.text).not.toMatch(/[\u0000-\u001F\u007F]/)
          }
        }
      }),
      { numRuns: 50 }
    )
  })
})
