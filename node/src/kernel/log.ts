// Structured logs: one JSON object a line. Fields never hold keys, plaintext, contacts or text from the
// network above debug.

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

export interface Log {
  debug(event: string, fields?: LogFields): void
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
}

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 }

/** Writes lines of at least `level` through `write`; JSON escapes every control character. */
export function createLog(options: {
  level: LogLevel
  now: () => number
  write: (line: string) => void
}): Log {
  const at = (level: LogLevel) => (event: string, fields?: LogFields) => {
    if (RANK[level] < RANK[options.level]) return
    options.write(
      JSON.stringify({ time: new Date(options.now()).toISOString(), level, event, ...fields })
    )
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} }
