// The one sanitizer between text of other people and the terminal: no control byte, no bidirectional trick and no
// invisible character passes it; ordinary text of every script and emoji do. See ../README.md, "What is printed".

/** Marks on one letter; real scripts need up to 6, more would paint over neighbouring lines. */
const MARKS_MAX = 8
/** Columns a tab becomes in running text; in a single line it becomes one space. */
const TAB_WIDTH = 4

const ISOLATE = '\u2068'
const ISOLATE_END = '\u2069'
const REPLACEMENT = '\uFFFD'
const DOTTED_CIRCLE = '\u25CC'
const ZERO_WIDTH_NON_JOINER = '\u200C'
const ZERO_WIDTH_JOINER = '\u200D'
const BLACK_FLAG = '\u{1F3F4}'
const TAG_END = 0xe007f

const CONTROL = /\p{Cc}/u
const MARK = /\p{M}/u
/** Format characters and everything a font draws as nothing, Hangul fillers and tags included. */
const INVISIBLE = /[\p{Cf}\p{Default_Ignorable_Code_Point}]/u
/** Format characters that are drawn: number signs and the like (Prepended_Concatenation_Mark). */
const DRAWN_FORMAT =
  /[\u0600-\u0605\u06DD\u070F\u0890\u0891\u08E2\u{110BD}\u{110CD}\u{13430}-\u{1343F}]/u
const NONCHARACTER = /\p{Noncharacter_Code_Point}/u
const VARIATION_SELECTOR = /[\uFE00-\uFE0F\u{E0100}-\u{E01EF}]/u
const PICTOGRAPH = /\p{Extended_Pictographic}|\p{Emoji_Modifier}|\uFE0F/u
const PICTOGRAPH_START = /\p{Extended_Pictographic}/u
const TAG = /[\u{E0020}-\u{E007E}]/u
/** Scripts in which ZWJ and ZWNJ change the letters (UAX #31, profile for joiners). */
const JOINING =
  /[\p{Script=Arab}\p{Script=Syrc}\p{Script=Mand}\p{Script=Mong}\p{Script=Nkoo}\p{Script=Phag}\p{Script=Deva}\p{Script=Beng}\p{Script=Guru}\p{Script=Gujr}\p{Script=Orya}\p{Script=Taml}\p{Script=Telu}\p{Script=Knda}\p{Script=Mlym}\p{Script=Sinh}\p{Script=Khmr}\p{Script=Mymr}\p{Script=Tibt}]/u
/** Blocks written from right to left. */
const RIGHT_TO_LEFT =
  /[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFF\u{10800}-\u{10FFF}\u{1E800}-\u{1EFFF}]/u

export interface SanitizeOptions {
  /** Keeps `\n`; otherwise a line break is shown as `␊`. */
  readonly multiline?: boolean
  /** Longest result in visible characters (grapheme clusters); the rest becomes `…`. */
  readonly charactersMax?: number
}

/** `␛` for U+001B and its like; U+0080 to U+009F have no picture and are spelled out. */
function showControl(code: number): string {
  if (code < 0x20) return String.fromCodePoint(0x2400 + code)
  if (code === 0x7f) return '\u2421'
  return `<${code.toString(16).toUpperCase().padStart(2, '0')}>`
}

/** The characters of England's, Scotland's and Wales' flags behind the black flag at `index`; 0 when malformed. */
function tagSequenceLength(characters: readonly string[], index: number): number {
  let end = index + 1
  while (end - index <= 7 && TAG.test(characters[end] ?? '')) end++
  const closed = characters[end]?.codePointAt(0) === TAG_END
  return closed && end > index + 1 ? end - index : 0
}

function keepsInvisible(character: string, before: string, after: string): boolean {
  if (DRAWN_FORMAT.test(character)) return true
  if (VARIATION_SELECTOR.test(character)) {
    return before !== '' && before !== '\n' && !INVISIBLE.test(before)
  }
  if (character === ZERO_WIDTH_JOINER && PICTOGRAPH.test(before)) {
    return PICTOGRAPH_START.test(after)
  }
  if (character === ZERO_WIDTH_JOINER || character === ZERO_WIDTH_NON_JOINER) {
    return JOINING.test(before)
  }
  return false
}

/** Drops or shows everything that is not a visible character, a space or `\n`. */
function visible(text: string, multiline: boolean): string {
  const characters = [...text.toWellFormed().replaceAll('\r\n', '\n')]
  let result = ''
  let before = ''
  let marks = 0
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index] as string
    const kept = keep(character, before, characters[index + 1] ?? '', multiline)
    marks = MARK.test(kept) && !VARIATION_SELECTOR.test(kept) ? marks + 1 : 0
    if (kept === '' || marks > MARKS_MAX) continue
    // A mark at the start of a line would sit on a character that is not part of this text.
    if (marks === 1 && (before === '' || before === '\n')) result += DOTTED_CIRCLE
    result += kept
    before = kept
    if (character === BLACK_FLAG) {
      const length = tagSequenceLength(characters, index)
      result += characters.slice(index + 1, index + 1 + length).join('')
      index += length
    }
  }
  return result
}

function keep(character: string, before: string, after: string, multiline: boolean): string {
  if (character === '\n' && multiline) return '\n'
  if (character === '\t') return ' '.repeat(multiline ? TAB_WIDTH : 1)
  if (CONTROL.test(character)) return showControl(character.codePointAt(0) as number)
  if (character === '\u2028' || character === '\u2029') return multiline ? '\n' : ' '
  if (NONCHARACTER.test(character)) return REPLACEMENT
  if (INVISIBLE.test(character)) return keepsInvisible(character, before, after) ? character : ''
  return character
}

function shorten(text: string, charactersMax: number): string {
  if (text.length <= charactersMax) return text
  const clusters = [...new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(text)]
  if (clusters.length <= charactersMax) return text
  const kept = clusters.slice(0, charactersMax - 1)
  return `${kept.map((cluster) => cluster.segment).join('')}…`
}

/** Keeps right-to-left text from rearranging what stands around it (UAX #9, isolates). */
function isolate(line: string): string {
  return RIGHT_TO_LEFT.test(line) ? `${ISOLATE}${line}${ISOLATE_END}` : line
}

/**
 * Text that is safe to print: visible characters, spaces, and `\n` when `multiline`. Controls are shown as pictures
 * (`␛`), bidirectional controls and invisible characters are dropped, each line with right-to-left letters is
 * isolated, lone surrogates become U+FFFD. Emoji with joiners and variation selectors pass.
 */
export function sanitize(text: string, options: SanitizeOptions = {}): string {
  const shown = visible(text, options.multiline === true)
  const short = options.charactersMax === undefined ? shown : shorten(shown, options.charactersMax)
  return short.split('\n').map(isolate).join('\n')
}

const UNSAFE_IN_JSON = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu

/** JSON on one line in which no control, bidirectional or invisible character stands raw; parses to the same value. */
export function toSafeJson(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE_IN_JSON, (character) =>
    Array.from(
      { length: character.length },
      (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`
    ).join('')
  )
}
