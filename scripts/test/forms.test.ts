// The canary scan itself: it finds what is planted in every form, at any offset, and nothing else.
import { expect, test } from 'vitest'
import { formsIn, formsOf } from './forms.ts'

const CANARY = 'zq7kx2vw9p'

test.each([...formsOf(CANARY)])('finds %s at any offset', (name, form) => {
  for (const offset of [0, 1, 4_095]) {
    const bytes = Buffer.concat([Buffer.alloc(offset, 0x5a), form, Buffer.alloc(9, 0x5a)])
    expect(formsIn(bytes, CANARY)).toContain(name)
  }
})

test.each([0, 1, 2, 3, 4, 5])('finds it inside base64 text behind %i bytes', (before) => {
  const bytes = Buffer.concat([Buffer.alloc(before, 7), Buffer.from(`${CANARY}!`)])
  for (const encoding of ['base64', 'base64url'] as const) {
    const text = Buffer.from(bytes.toString(encoding))
    expect(formsIn(text, CANARY).some((name) => name.startsWith(encoding))).toBe(true)
  }
})

test('finds nothing in bytes that hold another text', () => {
  expect(formsIn(Buffer.from('zq7kx2vw8p and zq7kx2vw9'.repeat(50)), CANARY)).toEqual([])
})
