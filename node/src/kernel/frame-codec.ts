// Frames as bytes behind their varint length prefix. Writing is by hand: one exact allocation, no intermediate
// copy of the body; a test compares it with the generated codec. Reading goes through the bounded decoder.
import { decodeBounded, frame } from '@kith/protocols'

export type Frame = frame.Frame

/** The numbers of FrameKind in frame.proto. */
export const KIND = { request: 1, response: 2, subscribe: 3, item: 4, credit: 5, end: 6 } as const
export type Kind = (typeof KIND)[keyof typeof KIND]

/** What to write; absent fields are the default and take no bytes. */
export interface OutgoingFrame {
  readonly kind: Kind
  readonly id: number
  /** UTF-8 of a protocol id. */
  readonly method?: Uint8Array | undefined
  readonly body?: Uint8Array | undefined
  readonly status?: number | undefined
  readonly detail?: string | undefined
  readonly retryAfterMs?: number | undefined
  readonly credit?: number | undefined
}

/** Three bytes count to 2 MiB, beyond any frame: a longer prefix is a lie whatever follows. */
export const PREFIX_BYTES_MAX = 3

const text = new TextEncoder()

function varintBytes(value: number): number {
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  if (value < 0x200000) return 3
  return value < 0x10000000 ? 4 : 5
}

function bytesFieldSize(length: number): number {
  return length === 0 ? 0 : 1 + varintBytes(length) + length
}

function numberFieldSize(value: number): number {
  return value === 0 ? 0 : 1 + varintBytes(value)
}

/** Sizes and bytes of one frame, worked out once for both the allocation and the writing. */
export class FrameEncoder {
  readonly #frame: OutgoingFrame
  readonly #detail: Uint8Array | undefined
  readonly #length: number

  constructor(outgoing: OutgoingFrame) {
    this.#frame = outgoing
    this.#detail = outgoing.detail ? text.encode(outgoing.detail) : undefined
    this.#length =
      2 +
      numberFieldSize(outgoing.id) +
      bytesFieldSize(outgoing.method?.byteLength ?? 0) +
      bytesFieldSize(outgoing.body?.byteLength ?? 0) +
      numberFieldSize(outgoing.status ?? 0) +
      bytesFieldSize(this.#detail?.byteLength ?? 0) +
      numberFieldSize(outgoing.retryAfterMs ?? 0) +
      numberFieldSize(outgoing.credit ?? 0)
  }

  /** Bytes of the frame without its prefix. */
  get length(): number {
    return this.#length
  }

  /** Bytes of prefix and frame. */
  get totalBytes(): number {
    return varintBytes(this.#length) + this.#length
  }

  /** Writes prefix and frame at `offset`; returns the offset behind them. */
  writeTo(target: Uint8Array, offset: number): number {
    const { kind, id, method, body, status, retryAfterMs, credit } = this.#frame
    let at = writeVarint(target, offset, this.#length)
    target[at] = 0x08
    target[at + 1] = kind
    at = writeNumber(target, at + 2, 0x10, id)
    at = writeBytes(target, at, 0x1a, method)
    at = writeBytes(target, at, 0x22, body)
    at = writeNumber(target, at, 0x28, status)
    at = writeBytes(target, at, 0x32, this.#detail)
    at = writeNumber(target, at, 0x38, retryAfterMs)
    return writeNumber(target, at, 0x40, credit)
  }
}

function writeVarint(target: Uint8Array, offset: number, value: number): number {
  let at = offset
  let rest = value
  while (rest > 0x7f) {
    target[at] = (rest & 0x7f) | 0x80
    at += 1
    rest >>>= 7
  }
  target[at] = rest
  return at + 1
}

function writeNumber(target: Uint8Array, offset: number, tag: number, value = 0): number {
  if (value === 0) return offset
  target[offset] = tag
  return writeVarint(target, offset + 1, value)
}

function writeBytes(target: Uint8Array, offset: number, tag: number, value?: Uint8Array): number {
  if (value === undefined || value.byteLength === 0) return offset
  target[offset] = tag
  const at = writeVarint(target, offset + 1, value.byteLength)
  target.set(value, at)
  return at + value.byteLength
}

/** Throws ProtocolError `malformed` or `too-large`. The body is a view into `bytes`. */
export function decodeFrame(bytes: Uint8Array): Frame {
  return decodeBounded(frame.Frame, bytes, frame.FRAME_BYTES_MAX)
}
