// The one printer of failures: what happened, why, and what to type. Never a stack trace unless KITH_DEBUG=1.
import { type ExitCode, exitCodeOf } from './exit-codes.ts'
import { sanitize, toSafeJson } from './sanitize.ts'

/** What is known of any thrown thing. UserError and ProtocolError carry codes of their own. */
export interface Failure {
  readonly code: string
  readonly message: string
  readonly hint: string | undefined
}

/**
 * A failure found by the command itself, in the shape of the messenger's UserError (whose class is not imported here,
 * because help and a second command on an open store must not load the messenger).
 */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  /** Stable, for scripts; decides the exit code. */
  readonly code: string
  readonly hint: string | undefined
  /** More for programs. */
  readonly data: object | undefined

  constructor(
    code: string,
    message: string,
    options: { hint?: string | undefined; cause?: unknown; data?: object } = {}
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint
    this.data = options.data
  }
}

/** Codes that Node and the system give to errors, in words; `EACCES` says nothing to most people. */
const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  EACCES: 'Permission denied',
  EPERM: 'Permission denied',
  ENOSPC: 'The disk is full',
  EROFS: 'The file system is read-only',
  EMFILE: 'Too many open files',
  EIO: 'The disk failed'
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Makes a Failure of whatever was thrown; messages are not sanitized yet. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error))
    return { code: 'internal', message: String(error), hint: undefined }
  const fields = error as Error & {
    code?: unknown
    hint?: unknown
    path?: unknown
    detail?: unknown
  }
  const code = textOf(fields.code) ?? 'internal'
  const system = SYSTEM_ERRORS[code]
  if (system !== undefined) {
    const path = textOf(fields.path)
    const message = path === undefined ? `${system}.` : `${system}: ${path}.`
    return { code, message, hint: undefined }
  }
  if (error.name === 'ProtocolError') {
    return {
      code,
      message: `${textOf(fields.detail) ?? error.message} (${code}).`,
      hint: undefined
    }
  }
  if (code === 'internal' || code.startsWith('ERR_')) {
    const message = `Something inside went wrong: ${error.message}`
    return { code, message, hint: 'KITH_DEBUG=1 kith …, which shows where' }
  }
  return { code, message: error.message, hint: textOf(fields.hint) }
}

const closed = (text: string): string => (/[.!?…)]$/.test(text) ? text : `${text}.`)

/** `kith: <what happened>. <why>` and `  try: <what to type>`, or one line of JSON. Ends with a line break. */
export function renderFailure(failure: Failure, options: { json: boolean }): string {
  if (options.json) {
    const { code, message, hint } = failure
    return `${toSafeJson({ error: { code, message, hint, exitCode: exitCodeOf(code) } })}\n`
  }
  const first = `kith: ${closed(sanitize(failure.message))}\n`
  return failure.hint === undefined ? first : `${first}  try: ${sanitize(failure.hint)}\n`
}

export interface Reported {
  readonly text: string
  readonly exitCode: ExitCode
}

/** Text for standard error and the exit code of a thrown thing. `debug` appends the stack and its causes. */
export function report(error: unknown, options: { json: boolean; debug: boolean }): Reported {
  const failure = failureOf(error)
  const text = renderFailure(failure, options)
  const trace = options.debug ? stackOf(error) : ''
  return { text: text + trace, exitCode: exitCodeOf(failure.code) }
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  const own = `${sanitize(error.stack ?? '', { multiline: true })}\n`
  return error.cause === undefined ? own : `${own}caused by ${stackOf(error.cause)}`
}
