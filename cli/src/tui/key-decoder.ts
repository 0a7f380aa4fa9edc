// From what a terminal sends to keys with names: control characters, escape sequences of xterm, VT220, the Linux console
// and the kitty keyboard protocol, and bracketed paste. Bytes are decoded before; text that arrives in one piece with an
// Enter inside was pasted by a terminal that does not say so.

export type Key =
  /** `enter`, `ctrl+n`, `alt+enter`, `pageup`, … */
  | { readonly type: 'key'; readonly name: string }
  /** Typed characters. */
  | { readonly type: 'text'; readonly text: string }
  /** Many lines at once are one text. */
  | { readonly type: 'paste'; readonly text: string }

/** Kept of one paste, in UTF-16 units: eight messages of the longest kind. */
const PASTE_UNITS_MAX = 131_072
/** Longer sequences are noise. */
const SEQUENCE_MAX = 32

const PASTE_START = '\u001B[200~'
const PASTE_END = '\u001B[201~'

/** Final characters of CSI and SS3 sequences. */
const BY_LETTER: Readonly<Record<string, string>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  H: 'home',
  F: 'end',
  P: 'f1',
  Z: 'shift+tab',
  M: 'enter'
}

/** First parameter of `CSI … ~`. */
const BY_NUMBER: Readonly<Record<string, string>> = {
  '1': 'home',
  '3': 'delete',
  '4': 'end',
  '5': 'pageup',
  '6': 'pagedown',
  '7': 'home',
  '8': 'end',
  '11': 'f1'
}

/** Code points that kitty's protocol and xterm's modifyOtherKeys report for keys with names. */
const BY_CODE: Readonly<Record<number, string>> = {
  9: 'tab',
  13: 'enter',
  27: 'escape',
  127: 'backspace',
  57414: 'enter'
}

const CONTROLS: Readonly<Record<string, string>> = {
  '\r': 'enter',
  '\n': 'ctrl+j',
  '\t': 'tab',
  '\u007F': 'backspace',
  '\b': 'backspace',
  '\u001B': 'escape'
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: terminals send them
const CONTROL = /[\u0000-\u001F\u007F]/
// biome-ignore lint/suspicious/noControlCharactersInRegex: a sequence begins with ESC
const CSI = /^\u001B\[(\[?[0-9;:<=>?]*)([ -/]*)([@-~])/
// biome-ignore lint/suspicious/noControlCharactersInRegex: a sequence begins with ESC
const SS3 = /^\u001BO([0-9;]*)([A-Za-z])/
// biome-ignore lint/suspicious/noControlCharactersInRegex: a sequence begins with ESC
const UNFINISHED = /^\u001B(?:\[\[?[0-9;:<=>?]*[ -/]*|O[0-9;]*)?$/

/** Shift 1, alt 2, ctrl 4, counted from 1, as xterm and kitty send them. */
function modified(name: string, parameter: string | undefined): string {
  const bits = Number.parseInt(parameter ?? '1', 10) - 1
  const ctrl = (bits & 4) !== 0 ? 'ctrl+' : ''
  const alt = (bits & 2) !== 0 ? 'alt+' : ''
  const shift = (bits & 1) !== 0 && ctrl === '' && alt === '' ? 'shift+' : ''
  return `${ctrl}${alt}${shift}${name}`
}

function byCode(code: number, modifier: string | undefined): Key | undefined {
  const named = BY_CODE[code]
  if (named !== undefined) return { type: 'key', name: modified(named, modifier) }
  if (code < 0x20 || code > 0x10ffff || (code >= 0xe000 && code <= 0xf8ff)) return undefined
  const character = String.fromCodePoint(code)
  const name = modified(character, modifier)
  return name === character || name === `shift+${character}`
    ? { type: 'text', text: character }
    : { type: 'key', name }
}

function sequenceKey(parameters: string, final: string): Key | undefined {
  if (parameters === '[' && final === 'A') return { type: 'key', name: 'f1' }
  const [first = '', second, third] = parameters.split(';')
  if (final === 'u') return byCode(Number.parseInt(first, 10), second)
  if (final === '~' && first === '27') return byCode(Number.parseInt(third ?? '', 10), second)
  const name = final === '~' ? BY_NUMBER[first] : BY_LETTER[final]
  return name === undefined ? undefined : { type: 'key', name: modified(name, second) }
}

function controlKey(character: string): Key {
  const name = CONTROLS[character]
  if (name !== undefined) return { type: 'key', name }
  const letter = String.fromCharCode(character.charCodeAt(0) + 0x60)
  return { type: 'key', name: `ctrl+${letter}` }
}

const CTRL_C = '\u0003'

/** Keeps what is unfinished between two pieces of input. */
export class KeyDecoder {
  private pending = ''
  /** What was pasted so far; undefined outside of a paste. */
  private pasted: string | undefined

  /** Whether an Escape waits: alone it is the key, with more behind it a sequence. */
  get isPending(): boolean {
    return this.pending !== '' && this.pasted === undefined
  }

  push(input: string): readonly Key[] {
    // Somebody whose terminal never ends a paste can still leave.
    if (input === CTRL_C) {
      this.pasted = undefined
      this.pending = ''
    }
    const text = this.pending + input
    this.pending = ''
    const isPaste = this.pasted === undefined && this.isUnmarkedPaste(text)
    return isPaste ? [{ type: 'paste', text }] : this.decode(text)
  }

  /** Nothing followed in time: what waits is what it looks like. */
  flush(): readonly Key[] {
    if (!this.isPending) return []
    const [first = '', ...rest] = this.pending
    this.pending = ''
    return [controlKey(first), ...(rest.length === 0 ? [] : this.decode(rest.join('')))]
  }

  /** Lines in one piece; a last Enter alone is somebody who types fast. */
  private isUnmarkedPaste(text: string): boolean {
    return !text.includes('\u001B') && /[^\r\n][\r\n]+[^\r\n]/.test(text)
  }

  private decode(text: string): readonly Key[] {
    const keys: Key[] = []
    let rest = text
    while (rest !== '') {
      const taken = this.take(rest, keys)
      if (taken === 0) {
        this.pending = rest
        break
      }
      rest = rest.slice(taken)
    }
    return keys
  }

  /** How many units were used; 0 when more have to come. */
  private take(rest: string, keys: Key[]): number {
    if (this.pasted !== undefined) return this.takePaste(this.pasted, rest, keys)
    if (rest.startsWith(PASTE_START)) {
      this.pasted = ''
      return PASTE_START.length
    }
    if (rest.startsWith('\u001B')) return this.takeEscape(rest, keys)
    if (CONTROL.test(rest[0] as string)) {
      keys.push(controlKey(rest[0] as string))
      return 1
    }
    const end = rest.search(CONTROL)
    const typed = end < 0 ? rest : rest.slice(0, end)
    keys.push({ type: 'text', text: typed })
    return typed.length
  }

  /** Up to the mark at its end, however long it is: no line of a paste may ever count as typed. */
  private takePaste(pasted: string, rest: string, keys: Key[]): number {
    const end = rest.indexOf(PASTE_END)
    // The mark may come in two pieces.
    const taken = end < 0 ? Math.max(0, rest.length - PASTE_END.length + 1) : end
    const text = (pasted + rest.slice(0, taken)).slice(0, PASTE_UNITS_MAX)
    this.pasted = end < 0 ? text : undefined
    if (end < 0) return taken
    keys.push({ type: 'paste', text })
    return end + PASTE_END.length
  }

  private takeEscape(rest: string, keys: Key[]): number {
    if (rest.length <= SEQUENCE_MAX && UNFINISHED.test(rest)) return 0
    const csi = CSI.exec(rest)
    const ss3 = csi === null ? SS3.exec(rest) : null
    const found = csi ?? ss3
    if (found !== null) {
      const key = sequenceKey(found[1] as string, found.at(-1) as string)
      if (key !== undefined) keys.push(key)
      return found[0].length
    }
    const next = String.fromCodePoint(rest.codePointAt(1) ?? 0x1b)
    const key = CONTROL.test(next) ? controlKey(next) : undefined
    const name = key?.type === 'key' ? key.name : next
    keys.push({ type: 'key', name: name === 'ctrl+j' ? 'alt+enter' : `alt+${name}` })
    return 1 + next.length
  }
}
