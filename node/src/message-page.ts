// One page of a conversation: the newest messages, or the newest before one, with what of them is still in the outbox.
import { type MessageId, parseMessageId } from '@kith/protocols'
import { UserError } from './api.ts'
import type { StoredMessage } from './conversations/message.ts'
import type { Timelines } from './conversations/timeline.ts'
import { Marks } from './delivery/marks.ts'
import type { OutboxEntry } from './delivery/state.ts'
import type { SealedStore } from './kernel/store/sealed.ts'

/** Listed when a caller does not say how many, and at most. */
const LIST_DEFAULT = 50
const LIST_MAX = 1_000

export interface PageOptions {
  readonly limit?: number
  /** Id of the message before which the page ends. */
  readonly before?: string
}

export interface Page {
  readonly limit: number
  /** Oldest first. */
  readonly stored: readonly StoredMessage[]
  readonly entries: readonly OutboxEntry[]
}

/** `local`: of the conversation. `texts`: its texts in the outbox. Throws UserError `unknown-message`. */
export async function readPage(
  { store, timelines }: { readonly store: SealedStore; readonly timelines: Timelines },
  local: number,
  options: PageOptions,
  texts: readonly OutboxEntry[]
): Promise<Page> {
  const limit = Math.min(Math.max(1, options.limit ?? LIST_DEFAULT), LIST_MAX)
  const before = await placeOf(store, options.before)
  const stored = await timelines.newest(local, limit, before)
  return { limit, stored, entries: before === undefined ? texts : entriesAmong(stored, texts) }
}

/** Where a message stands in the order; undefined without an id. Throws UserError `unknown-message`. */
async function placeOf(
  store: SealedStore,
  text: string | undefined
): Promise<Pick<StoredMessage, 'depth' | 'id'> | undefined> {
  if (text === undefined) return undefined
  const id = isMessageId(text) ? text : undefined
  const [depth] = id === undefined ? [] : await new Marks(store).depths([id])
  if (id !== undefined && depth !== undefined) return { id, depth }
  throw new UserError('unknown-message', 'No message with this id is here.', {
    hint: 'Ids are in: kith message list <who> --json'
  })
}

function isMessageId(text: string): text is MessageId {
  try {
    return parseMessageId(text) === text
  } catch {
    // Whatever is wrong with it: no message has it.
    return false
  }
}

/** Entries of the outbox that are on a page; what is on its way is newer than any page but the last. */
function entriesAmong(
  stored: readonly StoredMessage[],
  entries: readonly OutboxEntry[]
): readonly OutboxEntry[] {
  const ids = new Set<MessageId | undefined>(stored.map(({ id }) => id))
  return entries.filter(({ sealed }) => sealed !== undefined && ids.has(sealed.id))
}
