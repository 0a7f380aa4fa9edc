// The one table between what travels (a status number) and what callers act on (an error with a code).

export type ErrorCode =
  | 'malformed'
  | 'too-large'
  | 'unknown-protocol'
  | 'forbidden'
  | 'not-found'
  | 'conflict'
  | 'quota'
  | 'rate-limited'
  | 'unavailable'
  | 'internal'
  | 'invite'
  | 'timeout'
  | 'unreachable'

/** Status 0 is success. `timeout` and `unreachable` are found locally and never travel. */
export const WIRE_STATUS: Readonly<Record<ErrorCode, number>> = {
  malformed: 1,
  'too-large': 2,
  'unknown-protocol': 3,
  forbidden: 4,
  'not-found': 5,
  conflict: 6,
  quota: 7,
  'rate-limited': 8,
  unavailable: 9,
  internal: 10,
  invite: 11,
  timeout: 12,
  unreachable: 13
}

const CODE_BY_STATUS = new Map<number, ErrorCode>(
  Object.entries(WIRE_STATUS).map(([code, status]) => [status, code as ErrorCode])
)

/** The code of a status from the wire; an unknown one counts as `internal`. */
export function errorCodeOf(status: number): ErrorCode {
  return CODE_BY_STATUS.get(status) ?? 'internal'
}

/**
 * A refusal or failure a caller can act on. `code` decides what to do; `detail` is a short machine-readable
 * phrase that may travel; `retryAfterMs` says when trying again makes sense.
 */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
  readonly code: ErrorCode
  readonly detail: string
  readonly retryAfterMs: number | undefined

  constructor(
    code: ErrorCode,
    detail: string,
    options?: { cause?: unknown; retryAfterMs?: number | undefined }
  ) {
    super(`${code}: ${detail}`, options?.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.detail = detail
    this.retryAfterMs = options?.retryAfterMs
  }
}
