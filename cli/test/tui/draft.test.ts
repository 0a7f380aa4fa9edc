import { describe, expect, it } from 'vitest'
import { composerRows } from '../../src/tui/composer-layout.ts'
import { type Draft, draftOf, edit, insert } from '../../src/tui/model/draft.ts'

const FAMILY = '👩‍👩‍👧‍👦'
const press = (draft: Draft, ...keys: string[]): Draft =>
  keys.reduce((current, key) => edit(current, key) ?? current, draft)
/** With the cursor as `|`. */
const shown = ({ text, cursor }: Draft) => `${text.slice(0, cursor)}|${text.slice(cursor)}`

describe('a draft', () => {
  it('moves and deletes by what a reader takes for a character', () => {
    const draft = draftOf(`a${FAMILY}é`)
    expect(shown(press(draft, 'left', 'left'))).toBe(`a|${FAMILY}é`)
    expect(shown(press(draft, 'left', 'backspace'))).toBe('a|é')
    expect(shown(press(draft, 'home', 'right', 'delete'))).toBe('a|é')
  })

  it('moves between lines and within them', () => {
    const draft = draftOf('first line\nab\nthird')
    expect(shown(press(draft, 'up'))).toBe('first line\nab|\nthird')
    expect(shown(press(draft, 'up', 'up', 'end'))).toBe('first line|\nab\nthird')
    expect(shown(press(draft, 'up', 'home', 'down', 'right'))).toBe('first line\nab\nt|hird')
    expect(shown(press(draft, 'up', 'up', 'up'))).toBe('|first line\nab\nthird')
    expect(shown(press(draft, 'ctrl+a', 'ctrl+k'))).toBe('first line\nab\n|')
    expect(shown(press(draft, 'ctrl+w', 'backspace', 'ctrl+u'))).toBe('first line\n|')
  })

  it('takes pasted text without its control characters, and refuses what is far too long', () => {
    const pasted = insert(draftOf('x'), 'a\r\nb\rc\td\u001B[31m\u0000\u009Be')
    expect(pasted?.text).toBe('xa\nb\nc    d[31me')
    expect(insert(draftOf('x'), 'y'.repeat(70_000))).toBeUndefined()
  })

  it('is laid out in rows with the cursor where it is', () => {
    const layout = (text: string, cursor: number) => {
      const { rows, row, column } = composerRows({ text, cursor }, 13)
      return [rows.map((one) => one.text), row, column]
    }
    expect(layout('0123456789ab', 12)).toEqual([['0123456789', 'ab'], 1, 2])
    expect(layout('0123456789ab', 10)).toEqual([['0123456789', 'ab'], 1, 0])
    expect(layout('音楽\n', 3)).toEqual([['音楽', ''], 1, 0])
    expect(layout('音楽', 1)).toEqual([['音楽'], 0, 2])
    // What cannot be seen takes no room, and turns nothing around.
    expect(layout('a\u202Eb', 2)).toEqual([['ab'], 0, 1])
  })
})
