// Whether the groups of all conversations are what the account logs say, so that a command that changed the logs can
// end: what it leaves undone is done at the next start.
import { type AccountId, SECOND_MS } from '@kith/protocols'
import type { Directory } from '../contacts/directory.ts'
import { currentEpoch } from '../conversations/incarnations.ts'
import type { ConversationState, DeliveryState } from '../delivery/state.ts'
import { type Clock, sleep } from '../kernel/clock.ts'

/** A change of a group takes two round trips to its sequencer; more than this and a relay is not there. */
const WAIT_MS = 15 * SECOND_MS
const LOOK_MS = 50
/** A comparison that began before the logs changed found nothing to do: again, this long after. */
const ASK_MS = 500

export interface GroupsOptions {
  readonly state: () => Pick<DeliveryState, 'conversations' | 'outbox'>
  readonly directory: Pick<Directory, 'state' | 'certified'>
  readonly account: AccountId
  readonly clock: Clock
  /** Has all groups compared with the logs; one that is being compared already ignores it. */
  readonly reconcile: () => void
}

/** Resolves to whether they are, after at most 15 seconds. */
export async function waitForGroups(options: GroupsOptions, signal: AbortSignal): Promise<boolean> {
  const { clock, reconcile } = options
  const giveUpAtMs = clock.monotonic() + WAIT_MS
  let askedAtMs = Number.NEGATIVE_INFINITY
  while (!areGroupsCurrent(options)) {
    if (clock.monotonic() - askedAtMs >= ASK_MS) {
      askedAtMs = clock.monotonic()
      reconcile()
    }
    if (signal.aborted || clock.monotonic() >= giveUpAtMs) return false
    await sleep(clock, LOOK_MS, signal).catch(() => {
      // Stopping: seen above.
    })
  }
  return true
}

/** No group lacks an own device or holds a removed one, and a relay has every change. */
export function areGroupsCurrent(options: GroupsOptions): boolean {
  const { conversations, outbox } = options.state()
  const isUnderWay = [...outbox.values()].some(
    ({ kind, acceptedBy }) => (kind === 'commit' || kind === 'welcome') && acceptedBy.length === 0
  )
  return !isUnderWay && [...conversations.values()].every((one) => isCurrent(one, options))
}

function isCurrent(
  conversation: ConversationState,
  { directory, account }: GroupsOptions
): boolean {
  if (conversation.phase !== 'ready') return true
  const { members } = currentEpoch(conversation)
  const own = directory.state(account)?.devices ?? []
  const isLacking = own.some(({ device }) => !members.some((member) => member.device === device))
  const isHolding = members.some(
    (member) => directory.state(member.account) !== undefined && !directory.certified(member)
  )
  return !isLacking && !isHolding
}
