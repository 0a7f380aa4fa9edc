// What the operator can act on, and the exit codes of `kith-relay`.

/** Scripts depend on these; the help prints them. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  /** The store failed while the relay ran (EX_IOERR of sysexits.h): look at the disk before starting again. */
  storeFailed: 74
} as const

/** A failure with what happened and what to type next. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError'
  readonly code: string
  readonly hint: string
  readonly exitCode: number

  constructor(
    code: string,
    message: string,
    options: { hint: string; exitCode?: number; cause?: unknown }
  ) {
    super(message, { cause: options.cause })
    this.code = code
    this.hint = options.hint
    this.exitCode = options.exitCode ?? EXIT.failure
  }
}
