// Compact encoding of the relay's own records: a version byte, then varints, fixed bytes and sized bytes in
// the order the record's own file documents. Records never leave this relay, so they are no protocol.
import { StoreError } from '@kith/node/kernel'

/** First byte of every record; a reader refuses others, so a later relay can tell old records from new. */
export const RECORD_VERSION = 1
/** Room for the usual record without growing: a box record with a short Merkle path. */
const INITIAL_BYTES = 256
const SEVEN_BITS = 0x80
/** Longest varint of an integer JavaScript holds exactly (53 bits). */
const VARINT_BYTES_MAX = 8

/** Appends fields; `finish` returns the record. */
export class FieldWriter {
  #bytes: Uint8Array
  #length = 0

  constructor(capacity = INITIAL_BYTES) {
    this.#bytes = new Uint8Array(capacity)
    this.#bytes[this.#length++] = RECORD_VERSION
  }

  /** A whole number from 0 to 2^53 - 1. */
  varint(value: number): this {
    this.#reserve(VARINT_BYTES_MAX)
    let rest = value
    while (rest >= SEVEN_BITS) {
      this.#bytes[this.#length++] = (rest % SEVEN_BITS) | SEVEN_BITS
      rest = Math.floor(rest / SEVEN_BITS)
    }
    this.#bytes[this.#length++] = rest
    return this
  }

  /** Bytes whose length the reader knows. */
  fixed(value: Uint8Array): this {
    this.#reserve(value.byteLength)
    this.#bytes.set(value, this.#length)
    this.#length += value.byteLength
    return this
  }

  /** Bytes behind their length. */
  sized(value: Uint8Array): this {
    return this.varint(value.byteLength).fixed(value)
  }

  text(value: string): this {
    return this.sized(new TextEncoder().encode(value))
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  #reserve(more: number): void {
    const needed = this.#length + more
    if (needed <= this.#bytes.byteLength) return
    const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.byteLength))
    larger.set(this.#bytes)
    this.#bytes = larger
  }
}

/** Reads what FieldWriter wrote; throws StoreError `corrupt` on anything else. */
export class FieldReader {
  readonly #bytes: Uint8Array
  #position = 0

  constructor(record: Uint8Array) {
    this.#bytes = record
    if (this.#byte() !== RECORD_VERSION) throw corrupt('a record of an unknown version')
  }

  varint(): number {
    let value = 0
    let scale = 1
    for (let read = 0; read < VARINT_BYTES_MAX; read++) {
      const byte = this.#byte()
      value += (byte % SEVEN_BITS) * scale
      if (byte < SEVEN_BITS) return value
      scale *= SEVEN_BITS
    }
    throw corrupt('a number that is too long')
  }

  /** A view of the next `length` bytes. */
  fixed(length: number): Uint8Array {
    const end = this.#position + length
    if (end > this.#bytes.byteLength) throw corrupt('a record that ends early')
    const value = this.#bytes.subarray(this.#position, end)
    this.#position = end
    return value
  }

  /** The next `length` bytes by themselves, so that the record can be forgotten. */
  copy(length: number): Uint8Array {
    return new Uint8Array(this.fixed(length))
  }

  sized(): Uint8Array {
    return this.fixed(this.varint())
  }

  text(): string {
    return new TextDecoder().decode(this.sized())
  }

  /** Everything not yet read. */
  rest(): Uint8Array {
    return this.fixed(this.#bytes.byteLength - this.#position)
  }

  #byte(): number {
    const byte = this.#bytes[this.#position++]
    if (byte === undefined) throw corrupt('a record that ends early')
    return byte
  }
}

function corrupt(what: string): StoreError {
  return new StoreError('corrupt', `The store holds ${what}.`)
}
