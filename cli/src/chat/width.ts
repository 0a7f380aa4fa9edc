// How many columns a text takes on a terminal: a lower and an upper bound, because terminals disagree about emoji and
// rare scripts, and whoever moves the cursor must know when it cannot know.

const ZERO = /[\p{M}\p{Cf}\p{Default_Ignorable_Code_Point}\p{Emoji_Modifier}]/u
/** Wide in every terminal: CJK, Hangul, full-width forms, emoji in colour (UAX #11, classes W and F). */
const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303E\uFF01-\uFF60\uFFE0-\uFFE6]/u
/** Narrow in every terminal: Latin, Greek and Cyrillic letters, and the marks of this program. */
const NARROW = /[\u0020-\u007E\u00A1-\u00AC\u00AE-\u02FF\u0370-\u052F\u2500-\u257F○✓…]/u

export interface Bounds {
  readonly min: number
  readonly max: number
}

/** Columns of a line without control sequences. */
export function widthOf(text: string): Bounds {
  let min = 0
  let max = 0
  for (const character of text) {
    if (NARROW.test(character)) {
      min += 1
      max += 1
    } else if (ZERO.test(character)) {
      // Some terminals draw a joiner or a modifier as a character of its own.
      max += 2
    } else {
      min += WIDE.test(character) ? 2 : 1
      max += 2
    }
  }
  return { min, max }
}

/** Rows that lines of text take at this many columns; undefined when it cannot be known. */
export function rowsOf(text: string, columns: number): number | undefined {
  let rows = 0
  for (const part of text.split('\n')) {
    const { min, max } = widthOf(part)
    const low = Math.max(1, Math.ceil(min / columns))
    // A wide character that does not fit leaves the last column of a row empty.
    const high = max <= columns ? 1 : Math.ceil(max / Math.max(1, columns - 1))
    if (min !== max && low !== high) return undefined
    rows += min === max ? low : high
  }
  return rows
}
