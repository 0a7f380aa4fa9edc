import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sanitize, toSafeJson } from '../src/sanitize.ts'

const BIDI = [
  '\u202A',
  '\u202B',
  '\u202C',
  '\u202D',
  '\u202E',
  '\u2066',
  '\u2067',
  '\u2068',
  '\u2069',
  '\u200E',
  '\u200F',
  '\u061C'
]

/** No control character, no line or paragraph separator; isolates only as a matching pair around a line. */
function expectPrintable(text: string, options: { multiline: boolean }): void {
  for (const line of options.multiline ? text.split('\n') : [text]) {
    expect(line).not.toMatch(/[\p{Cc}\u2028\u2029\uFEFF\u200B\u00AD]/u)
    expect(line.isWellFormed()).toBe(true)
    const inner = /^\u2068(.*)\u2069$/su.exec(line)?.[1] ?? line
    expect(inner).not.toMatch(/\p{Bidi_Control}/u)
  }
}

describe('the sanitizer', () => {
  it('lets no byte from 0 to 255 through as a control character', () => {
    for (let code = 0; code <= 255; code++) {
      const text = `a${String.fromCharCode(code)}b`
      expectPrintable(sanitize(text), { multiline: false })
      expectPrintable(sanitize(text, { multiline: true }), { multiline: true })
    }
  })

  it('shows controls instead of hiding that they were there', () => {
    expect(sanitize('\u001B[31mred')).toBe('␛[31mred')
    expect(sanitize('a\0b')).toBe('a␀b')
    expect(sanitize('a\u007Fb')).toBe('a␡b')
    expect(sanitize('a\u009B31mb')).toBe('a<9B>31mb')
    expect(sanitize('a\rb')).toBe('a␍b')
  })

  it.each([
    ['CSI', '\u001B[2J\u001B[1;1H'],
    ['CSI of one byte', '\u009B2J'],
    ['OSC 8, a link', '\u001B]8;;http://evil.example\u0007click\u001B]8;;\u0007'],
    ['OSC 52, the clipboard', '\u001B]52;c;cm0gLXJmIH4=\u001B\\'],
    ['OSC of one byte', '\u009D0;title\u009C'],
    ['DCS', '\u001BP$q"p\u001B\\'],
    ['APC and PM', '\u001B_x\u001B\\\u001B^y\u001B\\'],
    ['a reset', '\u001Bc']
  ])('disarms %s, whole and split at every place', (_, sequence) => {
    expectPrintable(sanitize(sequence), { multiline: false })
    for (let cut = 0; cut <= sequence.length; cut++) {
      const parts = sanitize(sequence.slice(0, cut)) + sanitize(sequence.slice(cut))
      expect(parts).not.toMatch(/\p{Cc}/u)
    }
  })

  it('keeps line breaks only where they are asked for', () => {
    expect(sanitize('a\nb\r\nc', { multiline: true })).toBe('a\nb\nc')
    expect(sanitize('a\nb')).toBe('a␊b')
    expect(sanitize('a\u2028b\u2029c')).toBe('a b c')
    expect(sanitize('a\u2028b', { multiline: true })).toBe('a\nb')
  })

  it('drops every bidirectional control', () => {
    for (const control of BIDI) expect(sanitize(`a${control}b`)).toBe('ab')
    expect(sanitize('invoice\u202Efdp.exe')).toBe('invoicefdp.exe')
  })

  it('isolates each line with right-to-left letters, and no other', () => {
    expect(sanitize('שלום')).toBe('\u2068שלום\u2069')
    expect(sanitize('مرحبا\nhello', { multiline: true })).toBe('\u2068مرحبا\u2069\nhello')
    expect(sanitize('plain')).toBe('plain')
  })

  it('keeps emoji with joiners, skin tones, variation selectors and flags', () => {
    for (const emoji of ['👩‍👩‍👧‍👦', '👍🏽', '❤️', '🏳️‍🌈', '🇩🇪', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '👩🏾‍🚀', '1️⃣', '☕︎']) {
      expect(sanitize(emoji)).toBe(emoji)
    }
  })

  it('keeps joiners where a script needs them', () => {
    for (const word of ['क्‍ष', 'می‌خواهم', 'ශ්‍රී']) {
      expect(sanitize(word).replace(/[\u2068\u2069]/gu, '')).toBe(word)
    }
  })

  it('drops invisible characters that make two texts look alike or carry hidden data', () => {
    const hidden = [
      '\u200B',
      '\u2060',
      '\uFEFF',
      '\u00AD',
      '\u180E',
      '\u034F',
      '\u115F',
      '\u3164',
      '\uFFA0',
      '\u{E0041}',
      '\u{E007F}',
      '\u2062',
      '\u200D',
      '\u200C',
      '\uFFF9'
    ]
    for (const character of hidden) expect(sanitize(`a${character}b`)).toBe('ab')
    expect(sanitize('a\uFE0F\uFE0Eb')).toBe('a\uFE0Fb')
    expect(sanitize('🏴\u{E0067}\u{E0062}')).toBe('🏴')
  })

  it('replaces halves of surrogate pairs and noncharacters', () => {
    expect(sanitize('a\uD83Db')).toBe('a\uFFFDb')
    expect(sanitize('\uDC00')).toBe('\uFFFD')
    expect(sanitize('a\uFFFEb')).toBe('a\uFFFDb')
  })

  it('bounds the marks on one letter, and gives a leading mark a letter of its own', () => {
    const piled = sanitize(`e${'\u0301'.repeat(100)}x`)
    expect(piled).toBe(`e${'\u0301'.repeat(8)}x`)
    expect(sanitize('\u0301a')).toBe('◌\u0301a')
  })

  it('turns tabs into spaces and cuts long names by visible characters', () => {
    expect(sanitize('a\tb')).toBe('a b')
    expect(sanitize('👩‍👩‍👧‍👦'.repeat(10), { charactersMax: 3 })).toBe('👩‍👩‍👧‍👦👩‍👩‍👧‍👦…')
    expect(sanitize('short', { charactersMax: 10 })).toBe('short')
  })

  it('closes its isolate when a right-to-left name is cut', () => {
    expect(sanitize('ש'.repeat(20), { charactersMax: 5 })).toBe('\u2068שששש…\u2069')
  })

  it('makes any text printable, whatever it is made of', () => {
    const unit = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code))
    const nasty = fc.constantFrom(
      '\u001B',
      '\u009B',
      '\n',
      '\r',
      '\u200D',
      '\uFE0F',
      '\u{E0062}',
      '🏴',
      'א',
      'a',
      '\u0301',
      ...BIDI
    )
    const text = fc
      .array(fc.oneof(unit, nasty, fc.string({ unit: 'binary' })), { maxLength: 60 })
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(text, fc.boolean(), (value, multiline) => {
        expectPrintable(sanitize(value, { multiline }), { multiline })
      }),
      { numRuns: 3_000 }
    )
  })

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const once = sanitize(value, { multiline: true })
        const strip = (shown: string) => shown.replace(/[\u2068\u2069]/gu, '')
        expect(strip(sanitize(once, { multiline: true }))).toBe(strip(once))
      }),
      { numRuns: 1_000 }
    )
  })

  it('is quick on the largest message, whatever it holds', () => {
    for (const piece of ['\u0301', '\u200D', '🏴', '\u{E0062}', 'א', '\u001B[']) {
      const startedAt = performance.now()
      sanitize(piece.repeat(16_384 / Buffer.byteLength(piece)), { multiline: true })
      expect(performance.now() - startedAt).toBeLessThan(500)
    }
  })
})

describe('JSON for programs', () => {
  it('holds no control, direction or invisible character, and parses to the same value', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const json = toSafeJson({ text })
        expect(json).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028\u2029\u{E0000}-\u{E007F}]/u)
        expect(JSON.parse(json)).toEqual({ text })
      }),
      { numRuns: 2_000 }
    )
    for (let code = 0; code <= 0x9f; code++) {
      const text = String.fromCharCode(code)
      expect(toSafeJson(text)).not.toMatch(/\p{Cc}/u)
      expect(JSON.parse(toSafeJson(text))).toBe(text)
    }
    expect(toSafeJson('\uD800')).toBe('"\\ud800"')
  })
})
