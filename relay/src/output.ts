// Where the commands write: results to standard output, logs and errors to standard error.

export interface Output {
  line(text: string): void
  /** One object a line. */
  json(value: unknown): void
  logLine(text: string): void
}

/** Writes through the two functions; each text ends in a line break. */
export function createOutput(streams: {
  readonly out: (text: string) => void
  readonly error: (text: string) => void
}): Output {
  return {
    line: (text) => streams.out(`${text}\n`),
    json: (value) => streams.out(`${JSON.stringify(value)}\n`),
    logLine: (text) => streams.error(`${text}\n`)
  }
}
