// Reading LevelDB's integers (doc/impl.md and util/coding.cc of LevelDB 1.20): little-endian, or varints.

/** Thrown when bytes are not of the format; the caller says of which file. */
export class FormatError extends Error {
  override readonly name = 'FormatError'
}

const VARINT_BYTES_MAX = 10

export class Cursor {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.byteLength
  }

  u32(): number {
    this.#require(4)
    this.#at += 4
    return this.#view.getUint32(this.#at - 4, true)
  }

  u64(): number {
    this.#require(8)
    this.#at += 8
    return toNumber(this.#view.getBigUint64(this.#at - 8, true))
  }

  byte(): number {
    this.#require(1)
    this.#at += 1
    return this.#bytes[this.#at - 1] as number
  }

  varint(): number {
    let value = 0n
    for (let index = 0; index < VARINT_BYTES_MAX; index += 1) {
      const byte = this.byte()
      value |= BigInt(byte & 0x7f) << BigInt(7 * index)
      if (byte < 0x80) return toNumber(value)
    }
    throw new FormatError('a varint is too long')
  }

  /** Bytes behind their length. */
  slice(): Uint8Array {
    return this.take(this.varint())
  }

  take(length: number): Uint8Array {
    this.#require(length)
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  #require(length: number): void {
    if (this.#at + length > this.#bytes.byteLength) throw new FormatError('the bytes end early')
  }
}

/** Sequence and file numbers stay far below 2^53: that many operations take 2,000 years at 150,000 a second. */
function toNumber(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new FormatError('a number is too large')
  return Number(value)
}
