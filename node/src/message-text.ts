// What may be sent as the text of a message. Checked before anything is stored, so that a refusal loses nothing.
import { envelope } from '@kith/protocols'
import { UserError } from './api.ts'
import type { StoredMessage } from './conversations/message.ts'

/** Throws UserError `empty-message`, `message-too-long` or `bad-text`, each saying what to do. */
export function requireText(text: string): void {
  if (text.trim() === '') {
    throw new UserError('empty-message', 'The message is empty, so nothing was sent.', {
      hint: 'Give it a text: kith message send <who> <text>'
    })
  }
  const bytes = new TextEncoder().encode(text).byteLength
  if (bytes > envelope.TEXT_BYTES_MAX) {
    throw new UserError(
      'message-too-long',
      `The message has ${bytes} bytes; at most ${envelope.TEXT_BYTES_MAX} fit into one. Nothing was sent.`,
      { hint: 'Send it in parts.' }
    )
  }
  if (!text.isWellFormed() || text.includes('\0')) {
    throw new UserError(
      'bad-text',
      'The message has a NUL or half a character in it, which no device could show. Nothing was sent.',
      { hint: 'Remove it and send again.' }
    )
  }
}

/** Of a first text, in the list of requests. */
const SHORTENED_CHARACTERS_MAX = 280

/** The beginning of a text; undefined for a body that a later version wrote. */
export function shortened({ text, raw }: Pick<StoredMessage, 'text' | 'raw'>): string | undefined {
  if (raw !== undefined) return undefined
  const characters = [...text]
  return characters.length <= SHORTENED_CHARACTERS_MAX
    ? text
    : `${characters.slice(0, SHORTENED_CHARACTERS_MAX).join('')}…`
}
