// Cuts a stream of bytes into lines of bounded length, holding never more than one line.

export interface LineSplitter {
  /** The lines that `chunk` completes, without line break (`\n` or `\r\n`). */
  push(chunk: Uint8Array): readonly Line[]
  /** The last line, when the stream did not end with a line break. */
  end(): Line | undefined
}

export type Line =
  | { readonly kind: 'line'; readonly bytes: Uint8Array }
  /** Longer than allowed: only its length is known, the bytes are dropped. */
  | { readonly kind: 'too-long'; readonly byteLength: number }

const LINE_BREAK = 0x0a
const CARRIAGE_RETURN = 0x0d

/** `bytesMax` counts the line without its break. */
export function createLineSplitter(bytesMax: number): LineSplitter {
  let parts: Uint8Array[] = []
  let length = 0

  function take(piece: Uint8Array): void {
    length += piece.byteLength
    // One byte more than allowed is kept, because the last one may be the `\r` of the line break.
    if (length <= bytesMax + 1) parts.push(piece.slice())
    else parts = []
  }

  function finish(): Line {
    const bytes = new Uint8Array(Math.min(length, bytesMax + 1))
    let offset = 0
    for (const part of parts) {
      bytes.set(part, offset)
      offset += part.byteLength
    }
    const isComplete = offset === length
    const hasReturn = isComplete && bytes[length - 1] === CARRIAGE_RETURN
    const byteLength = hasReturn ? length - 1 : length
    parts = []
    length = 0
    if (!isComplete || byteLength > bytesMax) return { kind: 'too-long', byteLength }
    return { kind: 'line', bytes: bytes.subarray(0, byteLength) }
  }

  return {
    push(chunk) {
      const lines: Line[] = []
      let start = 0
      for (let at = chunk.indexOf(LINE_BREAK); at !== -1; at = chunk.indexOf(LINE_BREAK, start)) {
        take(chunk.subarray(start, at))
        lines.push(finish())
        start = at + 1
      }
      take(chunk.subarray(start))
      return lines
    },
    end: () => (length === 0 ? undefined : finish())
  }
}
