// What may be sent as the text of a message, and what may be a name: checked before anything is stored or sent, with
// words that say which rule was broken.
import { envelope } from '@kith/protocols'
import { CommandError } from './errors.ts'

/** Same as in contact links; long enough for a name in every script, short enough for a line. */
export const NAME_BYTES_MAX = 64

const NOTHING_SENT = 'Nothing was sent.'

const utf8Bytes = (text: string): number => new TextEncoder().encode(text).byteLength

function refuse(code: string, why: string, hint?: string): never {
  throw new CommandError(code, `${why} ${NOTHING_SENT}`, { hint })
}

/**
 * Returns the text, or throws: `empty-message`, `message-too-long` (over TEXT_BYTES_MAX bytes of UTF-8), `bad-text` (NUL,
 * or half of a surrogate pair). Line breaks and every other character may be sent; the receiver's screen is protected
 * by its own sanitizer.
 */
export function checkText(text: string): string {
  if (text.trim() === '') refuse('empty-message', 'The message is empty.', 'write some text')
  if (!text.isWellFormed()) {
    refuse('bad-text', 'The text holds half of a character (a lone UTF-16 surrogate).')
  }
  if (text.includes('\0')) refuse('bad-text', 'The text holds a NUL character (U+0000).')
  const bytes = utf8Bytes(text)
  if (bytes > envelope.TEXT_BYTES_MAX) refuseSize(bytes)
  return text
}

/** Throws `message-too-long` for a text of that many bytes, or of more than can be counted. */
export function refuseSize(bytes: number): never {
  refuse(
    'message-too-long',
    `The text is ${bytes} bytes; a message holds at most ${envelope.TEXT_BYTES_MAX}.`,
    'split it into several messages'
  )
}

/** Returns the name, or throws `bad-name`: empty, too long, or with a control or invisible direction character. */
export function checkName(name: string, what: string): string {
  const bad = (why: string): never => {
    throw new CommandError('bad-name', `${what} ${why}. Nothing was changed.`, {
      hint: `a name of 1 to ${NAME_BYTES_MAX} bytes without line breaks`
    })
  }
  if (name.trim() === '') bad('is empty')
  if (!name.isWellFormed()) bad('holds half of a character (a lone UTF-16 surrogate)')
  if (name.startsWith('~')) bad('begins with ~, which marks names that nobody gave')
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(name)) bad('holds a control character or a line break')
  if (/\p{Bidi_Control}/u.test(name)) bad('holds a character that turns the writing direction')
  const bytes = utf8Bytes(name)
  if (bytes > NAME_BYTES_MAX) bad(`is ${bytes} bytes long, more than ${NAME_BYTES_MAX}`)
  return name
}
