// Colours by meaning. Only the sixteen that every terminal has, as its user has set them; `plain` has none, and everything
// that a colour says is also said by a word, a mark or inverse video.

export const THEME_NAMES = ['dark', 'light', 'plain'] as const
export type ThemeName = (typeof THEME_NAMES)[number]

/** What a piece of text is. */
export type Style =
  | 'text'
  | 'dim'
  | 'bold'
  | 'own'
  | 'other'
  | 'mark'
  | 'unread'
  | 'bar'
  | 'title'
  | 'selected'
  | 'match'
  | 'good'
  | 'error'

/** How it looks, in ink's words. */
export interface Look {
  readonly color?: string
  readonly backgroundColor?: string
  readonly bold?: boolean
  readonly dimColor?: boolean
  readonly inverse?: boolean
  readonly underline?: boolean
}

export type Theme = Readonly<Record<Style, Look>>

const PLAIN: Theme = {
  text: {},
  dim: {},
  bold: { bold: true },
  own: { bold: true },
  other: { bold: true },
  mark: {},
  unread: { bold: true },
  bar: { inverse: true },
  title: { inverse: true },
  selected: { inverse: true },
  match: { inverse: true },
  good: { bold: true },
  error: { bold: true, inverse: true }
}

const DARK: Theme = {
  ...PLAIN,
  dim: { color: 'gray' },
  own: { color: 'green' },
  other: { color: 'cyan' },
  mark: { color: 'green' },
  unread: { color: 'yellow', bold: true },
  bar: { color: 'white', backgroundColor: 'blue', bold: true },
  title: { bold: true, underline: true },
  match: { color: 'black', backgroundColor: 'yellow' },
  good: { color: 'green' },
  error: { color: 'white', backgroundColor: 'red', bold: true }
}

/** Dark letters on the terminal's own light ground; yellow and cyan cannot be read there. */
const LIGHT: Theme = {
  ...DARK,
  dim: { color: 'blackBright' },
  own: { color: 'green', bold: true },
  other: { color: 'blue', bold: true },
  unread: { color: 'magenta', bold: true },
  bar: { color: 'black', backgroundColor: 'cyan' }
}

export const THEMES: Readonly<Record<ThemeName, Theme>> = { dark: DARK, light: LIGHT, plain: PLAIN }

export const isThemeName = (name: unknown): name is ThemeName =>
  THEME_NAMES.some((known) => known === name)

export function nextTheme(name: ThemeName): ThemeName {
  const index = THEME_NAMES.indexOf(name)
  return THEME_NAMES[(index + 1) % THEME_NAMES.length] as ThemeName
}
