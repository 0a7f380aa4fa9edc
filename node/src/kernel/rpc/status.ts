// Errors to and from the status, detail and retry-after of a frame.
import { errorCodeOf, ProtocolError, WIRE_STATUS } from '@kith/protocols'
import type { Frame, OutgoingFrame } from '../frame-codec.ts'
import { DETAIL_BYTES_MAX, RETRY_AFTER_MS_MAX } from './limits.ts'

type Refusal = Pick<OutgoingFrame, 'status' | 'detail' | 'retryAfterMs'>

const PRINTABLE = /^[\x20-\x7e]*$/

/** What a peer is told. Failures that are not ours to explain tell it nothing but `internal`. */
export function refusalOf(error: unknown): Refusal {
  if (!(error instanceof ProtocolError)) return { status: WIRE_STATUS.internal }
  // Both are statements about a connection of ours, which the peer would take for one about its own.
  const code = error.code === 'timeout' || error.code === 'unreachable' ? 'unavailable' : error.code
  return {
    status: WIRE_STATUS[code],
    detail: PRINTABLE.test(error.detail) ? error.detail.slice(0, DETAIL_BYTES_MAX) : '',
    retryAfterMs: retryAfter(error.retryAfterMs)
  }
}

/** The error a caller sees for a refusal from the peer; `method` is what it asked for. */
export function errorOf(frame: Frame, method: string): ProtocolError {
  const code = errorCodeOf(frame.status)
  if (code === 'unknown-protocol') {
    return new ProtocolError(code, `the peer does not serve ${method}`)
  }
  const detail = PRINTABLE.test(frame.detail) ? frame.detail.slice(0, DETAIL_BYTES_MAX) : ''
  return new ProtocolError(code, detail || method, { retryAfterMs: retryAfter(frame.retryAfterMs) })
}

function retryAfter(ms: number | undefined): number | undefined {
  return ms === undefined || ms <= 0 ? undefined : Math.min(Math.ceil(ms), RETRY_AFTER_MS_MAX)
}

/** For everything pending on a stream that is lost: what the other side did is unknown. */
export function lostError(cause: unknown): ProtocolError {
  return new ProtocolError('unreachable', 'the connection was lost', { cause })
}
