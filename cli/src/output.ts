// Everything `kith` prints passes here: data to standard output, diagnostics to standard error. Printed text is of
// type SafeText, and the only way to make one from a string runs the sanitizer.
import { failureOf, renderFailure } from './errors.ts'
import { sanitize, toSafeJson } from './sanitize.ts'

declare const safe: unique symbol
/** Text that may go to a terminal: literals of this program, and sanitized pieces. */
export interface SafeText {
  readonly text: string
  readonly [safe]: true
}

const trusted = (text: string): SafeText => ({ text }) as SafeText

/** A line from literals and values: each value that is not SafeText is sanitized on its own, as a single line. */
export function line(
  literals: TemplateStringsArray,
  ...values: readonly (string | number | SafeText)[]
): SafeText {
  const shown = values.map((value) => (typeof value === 'object' ? value.text : piece(`${value}`)))
  return trusted(literals.reduce((text, literal, index) => text + shown[index - 1] + literal))
}

/** Visible characters of a name; longer ones are cut, so that a name cannot fill a screen. */
const NAME_CHARACTERS_MAX = 64

export const name = (text: string): SafeText =>
  trusted(sanitize(text, { charactersMax: NAME_CHARACTERS_MAX }))

const piece = (text: string): string => sanitize(text)

/** Many lines of a message: every line after the first begins with `margin`, so that none can pose as a new message. */
export function paragraph(text: string, margin: SafeText): SafeText {
  return trusted(sanitize(text, { multiline: true }).replaceAll('\n', `\n${margin.text}`))
}

export function join(parts: readonly SafeText[], separator = ''): SafeText {
  return trusted(parts.map((part) => part.text).join(separator))
}

/** Parts of safe text are safe. `cut` returns pieces of the text; one that is not part of it is an error. */
export function cuttings(
  text: SafeText,
  cut: (text: string) => readonly string[]
): readonly SafeText[] {
  return cut(text.text).map((part) => {
    if (!text.text.includes(part)) throw new Error('not a part of the text')
    return trusted(part)
  })
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

/** Select Graphic Rendition parameters, ECMA-48 §8.3.117: switch on, switch off. */
const STYLES: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39]
}

export interface Stream {
  /** Resolves once the text is handed over, which is the back-pressure of a slow reader. */
  write(text: string): Promise<void>
  readonly isTerminal: boolean
}

export interface Output {
  readonly json: boolean
  /** Data for people: a line on standard output; nothing with --json. */
  print(text: SafeText): Promise<void>
  /** Data for programs: one line of JSON on standard output; nothing without --json. */
  value(value: unknown): Promise<void>
  /** A diagnostic on standard error; with --json as `{"notice": …}`. */
  notice(text: SafeText): Promise<void>
  /** A failure that does not end the command, on standard error. */
  failure(error: unknown): Promise<void>
  style(style: Style, text: SafeText): SafeText
}

export function createOutput(options: {
  stdout: Stream
  stderr: Stream
  json: boolean
  colors: boolean
}): Output {
  const { stdout, stderr, json, colors } = options
  return {
    json,
    print: async (text) => {
      if (!json) await stdout.write(`${text.text}\n`)
    },
    value: async (value) => {
      if (json) await stdout.write(`${toSafeJson(value)}\n`)
    },
    notice: (text) =>
      stderr.write(json ? `${toSafeJson({ notice: text.text })}\n` : `${text.text}\n`),
    failure: (error) => stderr.write(renderFailure(failureOf(error), { json })),
    style(style, text) {
      if (!colors) return text
      const [on, off] = STYLES[style]
      return trusted(`\u001B[${on}m${text.text}\u001B[${off}m`)
    }
  }
}
