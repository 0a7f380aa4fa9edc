// What has arrived and waits to be opened: one queue a source, one opening at a time.
import { decodeBounded, envelope, type RelayId } from '@kith/protocols'
import { toString as toText } from 'uint8arrays/to-string'
import type { OpenRequest } from './inputs.ts'
import type { IncomingEntry, TagOwner } from './state.ts'
import type { Turn } from './turn.ts'

/** Opened in one go: enough to amortise a commit, little enough to stay responsive. */
const OPEN_COUNT_MAX = 256

/**
 * Opens the next entries of some source: those of known epochs together, one of an unknown epoch alone. One
 * opening at a time, and only when everything before it is on disk, so that duplicates and named messages are
 * looked for among all that this device has.
 */
export function advance(turn: Turn): void {
  if (turn.state.opening !== undefined) return
  for (const [source, { pending }] of turn.state.intakes) {
    if (pending.length === 0) continue
    const requests = nextRequests(turn, pending)
    turn.patch({ opening: { source, count: requests.length } })
    turn.whenDurable({ type: 'open', source, requests })
    return
  }
}

function nextRequests(turn: Turn, pending: readonly IncomingEntry[]): readonly OpenRequest[] {
  const requests: OpenRequest[] = []
  for (const entry of pending.slice(0, OPEN_COUNT_MAX)) {
    const owner = ownerOf(turn, entry)
    const alone = owner === undefined && entry.envelope !== undefined
    if (alone && requests.length > 0) break
    const received = owner && turn.conversation(owner.conversation).received
    requests.push({ entry, owner, incarnation: incarnationOf(turn, owner), received })
    if (alone) break
  }
  return requests
}

/** Who can open an entry: the epoch its tag names, when this device has it. */
export function ownerOf(turn: Turn, entry: Pick<IncomingEntry, 'envelope'>): TagOwner | undefined {
  if (entry.envelope === undefined) return undefined
  try {
    const { epochTag } = decodeBounded(
      envelope.Envelope,
      entry.envelope,
      envelope.ENVELOPE_BYTES_MAX
    )
    return turn.state.tags.get(toText(epochTag, 'base16'))
  } catch {
    // Malformed: the shell finds the same and reports it unreadable.
    return undefined
  }
}

function incarnationOf(turn: Turn, owner: TagOwner | undefined): OpenRequest['incarnation'] {
  if (owner === undefined) return undefined
  const { groupId, epoch } = owner.epoch
  return turn
    .conversation(owner.conversation)
    .incarnations.find((group) => group.groupId === groupId && group.epoch === epoch)
}

/** The session is gone. What it had queued comes again with the next one, so the queue behind it is dropped;
 * entries being opened finish first. */
export function offline(turn: Turn, relay: RelayId): void {
  const relays = new Set(turn.state.online)
  relays.delete(relay)
  turn.patch({ online: relays })
  const intake = turn.intake(relay)
  const { opening } = turn.state
  const pending = intake.pending.slice(0, opening?.source === relay ? opening.count : 0)
  const cursor = pending.at(-1)?.cursor ?? intake.taken ?? turn.state.cursors.get(relay)
  turn.setIntake(relay, { ...intake, pending, cursor })
}
