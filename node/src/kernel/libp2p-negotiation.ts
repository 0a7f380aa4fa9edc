// Negotiations of protocols that end. libp2p's reader of them collects a length that never ends byte by byte, at
// some 5 ms of processor time a kilobyte and without a pause: a few hundred kilobytes stop the whole process.
import { KIB } from '@kith/protocols'
import { AbstractMessageStream } from '@libp2p/utils'

/** The header and some names: ours need less than 100 bytes. */
const NEGOTIATION_BYTES_MAX = 4 * KIB
/** Names are ASCII of at most 1,024 bytes: their lengths have one or two bytes, of which one has the high bit. */
const HIGH_BYTES_MAX = 2

/** Aborts a stream or connection that sends something else before `isOver`. */
export function watchNegotiation(stream: object, isOver: () => boolean): void {
  if (!(stream instanceof AbstractMessageStream)) return
  const { onData } = stream
  let received = 0
  let high = 0
  stream.onData = (data) => {
    if (isOver()) {
      stream.onData = onData
      return onData.call(stream, data)
    }
    received += data.byteLength
    let isWrong = received > NEGOTIATION_BYTES_MAX
    if (!isWrong) {
      for (const byte of data.subarray()) {
        high = byte < 0x80 ? 0 : high + 1
        isWrong ||= high > HIGH_BYTES_MAX
      }
    }
    if (isWrong) stream.abort(new Error('no negotiation'))
    else onData.call(stream, data)
  }
}

interface Muxer {
  onRemoteStream(stream: { readonly protocol: string }): void
}

/** The same for every stream that the other side opens; a test notices when the muxer changes. */
export function watchStreams(muxer: object): void {
  const inner = muxer as Partial<Muxer>
  const { onRemoteStream } = inner
  if (onRemoteStream === undefined) return
  inner.onRemoteStream = (stream) => {
    watchNegotiation(stream, () => stream.protocol !== '')
    onRemoteStream.call(inner, stream)
  }
}
