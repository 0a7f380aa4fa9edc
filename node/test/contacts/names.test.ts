import { accountIdOf } from '@kith/protocols'
import { describe, expect, it } from 'vitest'
import {
  claimedName,
  cleanName,
  isFreeName,
  requireFreeName,
  requireGoodName,
  shortId,
  strangerName
} from '../../src/contacts/names.ts'

const EVE = accountIdOf(new Uint8Array(32).fill(7))
const BOB = accountIdOf(new Uint8Array(32).fill(8))

describe('a claimed name', () => {
  it.each([
    ['eve', 'eve'],
    ['  eve   the\tgreat ', 'eve the great'],
    ['~bob', 'bob'],
    ['~ ~~bob', 'bob'],
    ['\u202E~bob', 'bob'],
    ['a\u001B[2Jb\u0007\u009B', 'a[2Jb'],
    ['a\u202Eb\u2066c\u200Fd', 'abcd'],
    ['a\nb\u2028c', 'a b c'],
    ['👩‍🚀 ada', '👩‍🚀 ada'],
    ['שרה', 'שרה'],
    ['\uD800x', 'x'],
    ['', ''],
    ['~', ''],
    ['\u200B\u200B', ''],
    ['\u3164\uFFA0', '']
  ])('%j is shown as %j', (claimed, shown) => {
    expect(cleanName(claimed)).toBe(shown)
  })

  it('is cut to 64 bytes between characters that people see', () => {
    const flags = cleanName('🏴󠁧󠁢󠁥󠁮󠁧󠁿'.repeat(10))
    expect(flags).toBe('🏴󠁧󠁢󠁥󠁮󠁧󠁿'.repeat(2))
    expect(cleanName('é'.repeat(100))).toBe('é'.repeat(32))
    expect(cleanName('x'.repeat(1_000_000))).toHaveLength(64)
  })

  it('stands behind a tilde with the beginning of the id, and is found again in it', () => {
    const name = strangerName(EVE, 'bob')
    expect(name).toBe(`~bob-${shortId(EVE)}`)
    expect(claimedName({ account: EVE, name })).toBe('bob')
    expect(strangerName(EVE, '\u202E')).toBe(`~${shortId(EVE)}`)
    expect(claimedName({ account: EVE, name: `~${shortId(EVE)}` })).toBe('')
    expect(strangerName(BOB, 'bob')).not.toBe(name)
  })
})

describe('a name of a contact', () => {
  it.each(['', ' ', '~x', 'a\u202Eb', 'a\u001Bb', 'x'.repeat(65), '\u200B', '\u2028'])(
    'is never %j',
    (name) => expect(() => requireGoodName(name, '')).toThrow('A contact needs a name')
  )

  it('that others suggested must not look like one there is; one that was chosen must differ', () => {
    const contacts = [{ account: BOB, name: 'Bob' }]
    for (const name of ['Bob', 'bob', 'ＢＯＢ', 'b\u200Dob', 'B ob'.replace(' ', '\u2060')]) {
      expect(isFreeName({ account: EVE, name }, contacts), name).toBe(false)
    }
    const chosen = { account: EVE, name: 'bob', isChosen: true }
    expect(() => requireFreeName(chosen, contacts, '')).not.toThrow()
    expect(() => requireFreeName({ ...chosen, name: 'Bob' }, contacts, '')).toThrow('already have')
    expect(isFreeName({ account: BOB, name: 'BOB' }, contacts)).toBe(true)
  })
})
