// What every style check takes and gives: files as data in, findings as data out, so that each is tested on a
// few lines of text.

export interface SourceFile {
  /** Relative to the repository, with forward slashes. */
  readonly path: string
  readonly text: string
}

export interface Finding {
  readonly path: string
  /** From 1. */
  readonly line: number
  /** What is wrong, and why it matters. */
  readonly message: string
}

/** Number of the line, from 1, that holds the character at `index`. */
export function lineAt(text: string, index: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at !== -1 && at < index; at = text.indexOf('\n', at + 1)) line++
  return line
}

/** One finding for each match of a global `pattern` in `text`; `text` may be a masked copy of the file's. */
export function findAll(
  path: string,
  text: string,
  { pattern, message }: { pattern: RegExp; message: string }
): Finding[] {
  return [...text.matchAll(pattern)].map((match) => ({
    path,
    line: lineAt(text, match.index),
    message
  }))
}

/** Blanks comments, keeping every line where it is; strings that look like comments survive. */
export function withoutComments(text: string): string {
  const token =
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g
  return text.replace(token, (found) =>
    found.startsWith('/') ? found.replace(/[^\n]/g, ' ') : found
  )
}

/** True for hand-written product code: what ships, except the generated codecs. */
export function isProductSource(path: string): boolean {
  return /^(protocols|node|relay|cli)\/src\/.*\.tsx?$/.test(path) && !isGenerated(path)
}

/** True for the codecs that `npm run proto` writes. */
export function isGenerated(path: string): boolean {
  return /\/pb\/[^/]+\.ts$/.test(path)
}
