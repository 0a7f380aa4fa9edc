// The reader under every bounded decode: as strict as the Protocol Buffers encoding allows, and with a budget,
// because a megabyte of two-byte fields is half a million allocations. The runtime's own reader runs past the
// end of truncated varints, loses its place after a padded one, and accepts text that is not UTF-8.
import type { Reader } from 'protons-runtime'

/**
 * Tags and lengths read in one message. The richest legitimate message (slot content: 64 devices of 32 ranges)
 * needs 8,460. An attacker's worst spends them on empty nested messages, at 1 to 3 µs each.
 */
export const FIELD_READS_MAX = 10_240

/** A varint of 64 bits takes ten bytes. */
const VARINT_BYTES_MAX = 10

const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export class BudgetError extends Error {
  override readonly name = 'BudgetError'
}

/** The part of the runtime's Reader that generated codecs of this package call; a test compares the two. */
export class BoundedReader
  implements
    Pick<
      Reader,
      | 'buf'
      | 'pos'
      | 'len'
      | 'uint32'
      | 'int32'
      | 'bool'
      | 'bytes'
      | 'string'
      | 'skipType'
      | 'uint64Number'
    >
{
  readonly buf: Uint8Array<ArrayBuffer>
  pos = 0
  readonly len: number
  #reads = 0

  constructor(bytes: Uint8Array) {
    // Views of shared memory have no place here; the narrower type is what Reader declares.
    this.buf = bytes as Uint8Array<ArrayBuffer>
    this.len = bytes.byteLength
  }

  uint32(): number {
    this.#reads += 1
    if (this.#reads > FIELD_READS_MAX) {
      throw new BudgetError('more fields than any message has')
    }
    const first = this.buf[this.pos]
    if (first !== undefined && first < 128) {
      this.pos += 1
      return first
    }
    const second = this.buf[this.pos + 1]
    if (first !== undefined && second !== undefined && second < 128) {
      this.pos += 2
      return (first & 127) | (second << 7)
    }
    const value = this.uint64Number()
    if (value > 0xffffffff) {
      throw new RangeError('a 32-bit number is larger than 32 bits')
    }
    return value
  }

  int32(): number {
    return this.uint32() | 0
  }

  bool(): boolean {
    return this.uint32() !== 0
  }

  uint64Number(): number {
    let value = 0
    let scale = 1
    for (let index = 0; index < VARINT_BYTES_MAX; index += 1) {
      const byte = this.buf[this.pos]
      if (byte === undefined) {
        throw new RangeError('the message ends inside a number')
      }
      this.pos += 1
      value += (byte & 127) * scale
      if (value > Number.MAX_SAFE_INTEGER) {
        throw new RangeError('a number is larger than 2^53 - 1')
      }
      if (byte < 128) {
        return value
      }
      scale *= 128
    }
    throw new RangeError('a number is longer than ten bytes')
  }

  /** A view, not a copy: whoever keeps it for long copies it, or keeps the whole message with it. */
  bytes(): Uint8Array<ArrayBuffer> {
    const length = this.uint32()
    const start = this.pos
    this.#advance(length)
    return this.buf.subarray(start, this.pos)
  }

  string(): string {
    return text.decode(this.bytes())
  }

  skipType(wireType: number): void {
    switch (wireType) {
      case 0:
        this.#skipVarint()
        return
      case 1:
        this.#advance(8)
        return
      case 2:
        this.#advance(this.uint32())
        return
      case 5:
        this.#advance(4)
        return
      default:
        // Groups (3 and 4) are not part of proto3, and nested ones are a way to exhaust the stack.
        throw new RangeError('unknown wire type')
    }
  }

  #skipVarint(): void {
    for (let index = 0; index < VARINT_BYTES_MAX; index += 1) {
      const byte = this.buf[this.pos]
      if (byte === undefined) {
        throw new RangeError('the message ends inside a number')
      }
      this.pos += 1
      if (byte < 128) {
        return
      }
    }
    throw new RangeError('a number is longer than ten bytes')
  }

  #advance(length: number): void {
    if (length > this.len - this.pos) {
      throw new RangeError('a length points behind the end of the message')
    }
    this.pos += length
  }
}
