// How much may wait in the outbox of a node. What is in it is never dropped, so it ends where more is taken in; what the
// protocol itself puts there (introductions, welcomes, commits) always finds room, since texts depend on it.
import { MIB } from '@kith/protocols'
import { UserError } from '../api.ts'
import type { DeliveryState, OutboxEntry } from './state.ts'

/** A hundred a day for a hundred days. Each is in memory, and is gone through whenever a relay comes back. */
export const OUTBOX_ENTRIES_MAX = 10_000
/** All of it is in memory: what a small phone can spare. 1,365 of the longest texts. */
export const OUTBOX_BYTES_MAX = 64 * MIB

/**
 * Bytes of an entry: its text in UTF-8, and its envelope. Not sealed yet it counts as less than it is going to take, at
 * most by twice its text and a KiB.
 */
export function entryBytes({ text, sealed, change }: OutboxEntry): number {
  const textBytes = new TextEncoder().encode(text).byteLength
  const changeBytes = (change?.commit.byteLength ?? 0) + (change?.receipt.byteLength ?? 0)
  return textBytes + (sealed?.envelope.byteLength ?? 0) + changeBytes
}

/** Undefined while a text still fits; otherwise the UserError `outbox-full` for whoever wrote it. */
export function outboxFull(
  { outbox, outboxBytes, online }: DeliveryState,
  text: string
): UserError | undefined {
  const bytes = outboxBytes + new TextEncoder().encode(text).byteLength
  if (outbox.size < OUTBOX_ENTRIES_MAX && bytes <= OUTBOX_BYTES_MAX) return undefined
  const limit =
    outbox.size < OUTBOX_ENTRIES_MAX
      ? `no more than ${OUTBOX_BYTES_MAX / MIB} MiB`
      : `no more than ${OUTBOX_ENTRIES_MAX}`
  const queued = [...outbox.values()].filter(({ acceptedBy }) => acceptedBy.length === 0).length
  const waiting = `${queued} wait for a relay, ${outbox.size - queued} for devices of their recipients`
  return new UserError(
    'outbox-full',
    `The message was not taken: ${limit} can wait here, and ${waiting}. Nothing that waits is lost`,
    {
      hint:
        online.size === 0
          ? 'kith account show names the relay, which cannot be reached: send again once it can.'
          : 'send again once some are delivered: kith account show says how many wait.'
    }
  )
}
