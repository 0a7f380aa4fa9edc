// What a Content must look like before anybody acts on it: lengths, ranges, text. The same check guards what
// this device seals and what it opens.
import { envelope, HASH_BYTES, NAME_BYTES_MAX } from '@kith/protocols'

/** MLS group ids are 32 random bytes here (groups/group-crypto.ts). */
const GROUP_ID_BYTES = 32

const encoder = new TextEncoder()

/** A Content whose fields have been checked; `body` is present, though its kind may be from a later version. */
export interface CheckedContent extends envelope.Content {
  body: envelope.Body
}

/** A whole number from `least` up to what a double holds exactly. */
export function isCount(value: number, least: number): boolean {
  return Number.isSafeInteger(value) && value >= least
}

/** Unicode without lone surrogates, within the limit. The bounded decoder has refused malformed UTF-8. */
function isText(text: string, bytesMax: number): boolean {
  return text.isWellFormed() && encoder.encode(text).byteLength <= bytesMax
}

function isBody(body: envelope.Body): boolean {
  const { text, introduction, commit } = body
  if (text !== undefined) {
    return text.text !== '' && isText(text.text, envelope.TEXT_BYTES_MAX)
  }
  if (introduction !== undefined) {
    return (
      introduction.deliverySecret.byteLength === envelope.DELIVERY_SECRET_BYTES &&
      isText(introduction.name, NAME_BYTES_MAX)
    )
  }
  return commit === undefined || commit.commit.byteLength > 0
}

/** Names the field of a content that is wrong; undefined when none is. */
export function contentFault(content: envelope.Content): string | undefined {
  if (content.conversation.byteLength !== HASH_BYTES) return 'conversation'
  if (content.group.byteLength !== GROUP_ID_BYTES) return 'group'
  if (!isCount(content.epoch, 0)) return 'epoch'
  if (content.authenticator.byteLength !== envelope.AUTHENTICATOR_BYTES) return 'authenticator'
  if (content.heads.length > envelope.HEADS_MAX) return 'heads'
  if (content.heads.some((head) => head.byteLength !== HASH_BYTES)) return 'heads'
  if (!isCount(content.depth, 1)) return 'depth'
  if (!isCount(content.sentAtMs, 0)) return 'sentAtMs'
  if (content.body === undefined || !isBody(content.body)) return 'body'
  return undefined
}
