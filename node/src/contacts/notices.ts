// What a conversation must tell besides messages: devices that came and went, a recovery key that was replaced. Kept
// as the difference to what was seen last, so that a change is told once and none is lost to a restart.
import type { AccountId, DeviceId } from '@kith/protocols'
import { equals } from 'uint8arrays/equals'
import type { NodeEvent } from '../api.ts'
import type { EventLog } from '../events/index.ts'
import type { Member } from '../groups/group-crypto.ts'
import type { Clock } from '../kernel/clock.ts'
import { decodeRecord, encodeRecord } from '../kernel/record.ts'
import { rangeOf, storeKey, u32 } from '../kernel/store/key.ts'
import type { Store, Write } from '../kernel/store/store.ts'

const SEEN = 'contacts/seen'
const NOTICE = 'contacts/notice'

/** Of one conversation; the oldest go. Nobody changes devices that often but to hide a change among others. */
const NOTICES_MAX = 1_000

export interface Notice {
  /** When this device learnt of it, by its clock. */
  readonly atMs: number
  readonly kind: 'device-added' | 'device-removed' | 'recovery-key'
  readonly account: AccountId
  /** Present for devices. */
  readonly device?: DeviceId
}

/** What was seen last of one conversation. */
interface Seen {
  /** Absent until the conversation has a group. */
  readonly members?: readonly Member[]
  /** 32 bytes; absent until the account's log is known. */
  readonly recoveryKey?: Uint8Array
  /** Numbers of the first and last notice kept; none when the first is higher. */
  readonly first: number
  readonly last: number
}

const NOTHING_SEEN: Seen = { first: 1, last: 0 }

interface Decided {
  readonly seen: Seen
  readonly changes: readonly Omit<Notice, 'atMs'>[]
}

/** What is told of a notice; undefined for nothing. */
export type TellNotice = (notice: Notice) => NodeEvent | undefined

export interface NoticesComponents {
  readonly store: Store
  readonly clock: Clock
  readonly events: Pick<EventLog, 'enter'>
}

export class Notices {
  readonly #components: NoticesComponents
  #changing: Promise<unknown> = Promise.resolve()

  constructor(components: NoticesComponents) {
    this.#components = components
  }

  /** Who takes part now, by the local number of the contact; `unseen` is who did before, where nobody looked.
   * Resolves to what is new, once it is on disk. */
  followMembers(
    contact: number,
    members: readonly Member[],
    unseen?: readonly Member[],
    tell?: TellNotice
  ): Promise<readonly Notice[]> {
    const decide = (seen: Seen): Decided => {
      const before = seen.members ?? unseen
      if (before === undefined) return { seen: { ...seen, members }, changes: [] }
      const added = without(members, before).map(
        (member) => ({ kind: 'device-added', ...member }) as const
      )
      const removed = without(before, members).map(
        (member) => ({ kind: 'device-removed', ...member }) as const
      )
      return { seen: { ...seen, members }, changes: [...added, ...removed] }
    }
    return this.#follow(contact, decide, tell)
  }

  /** The recovery key that the contact's log names now. */
  followRecoveryKey(
    contact: number,
    {
      account,
      before: unseen,
      recoveryKey
    }: { account: AccountId; before: Uint8Array | undefined; recoveryKey: Uint8Array },
    tell?: TellNotice
  ): Promise<readonly Notice[]> {
    const decide = (seen: Seen): Decided => {
      const before = seen.recoveryKey ?? unseen
      const isNew = before !== undefined && !equals(before, recoveryKey)
      return {
        seen: { ...seen, recoveryKey },
        changes: isNew ? [{ kind: 'recovery-key', account }] : []
      }
    }
    return this.#follow(contact, decide, tell)
  }

  /** The newest `limit`, oldest of them first. */
  async newest(contact: number, limit: number): Promise<readonly Notice[]> {
    const range = rangeOf(storeKey(NOTICE, u32(contact)))
    const notices: Notice[] = []
    for await (const [, value] of this.#components.store.scan({ ...range, reverse: true, limit })) {
      notices.push(decodeRecord<Notice>(value))
    }
    return notices.reverse()
  }

  #follow(
    contact: number,
    decide: (seen: Seen) => Decided,
    tell: TellNotice = () => undefined
  ): Promise<readonly Notice[]> {
    const { clock, events, store } = this.#components
    const followed = this.#changing.then(async () => {
      const key = storeKey(SEEN, u32(contact))
      const record = await store.get(key)
      const before = record === undefined ? NOTHING_SEEN : decodeRecord<Seen>(record)
      const { seen, changes } = decide(before)
      const value = encodeRecord(seen)
      if (changes.length === 0 && record !== undefined && equals(record, value)) return []
      const notices = changes.map((change): Notice => ({ ...change, atMs: clock.now() }))
      const { first, last, writes } = append(contact, seen, notices)
      const put = { type: 'put', key, value: encodeRecord({ ...seen, first, last }) } as const
      const told = notices.flatMap((notice) => tell(notice) ?? [])
      const entry = events.enter(told)
      await store.commit([put, ...writes, ...entry.writes])
      entry.kept()
      return notices
    })
    this.#changing = followed.catch(() => {
      // Its caller is told; what was not stored is found again.
    })
    return followed
  }
}

/** The writes that add notices and let the oldest go. */
function append(
  contact: number,
  { first, last }: Seen,
  notices: readonly Notice[]
): { first: number; last: number; writes: readonly Write[] } {
  const keyOf = (number: number) => storeKey(NOTICE, u32(contact), u32(number))
  const writes = notices.map((notice, index): Write => {
    return { type: 'put', key: keyOf(last + 1 + index), value: encodeRecord(notice) }
  })
  const newLast = last + notices.length
  const newFirst = Math.max(first, newLast - NOTICES_MAX + 1)
  for (let number = first; number < newFirst; number += 1) {
    writes.push({ type: 'delete', key: keyOf(number) })
  }
  return { first: newFirst, last: newLast, writes }
}

/** Those of `all` whose device is not among the others. */
const without = (all: readonly Member[], others: readonly Member[]): readonly Member[] =>
  all.filter(({ device }) => !others.some((other) => other.device === device))

/** Every PeerId of an Ed25519 key begins alike; its end tells devices apart. */
const shortDevice = (device: DeviceId): string => `12D3…${device.slice(-6)}`

/** A notice in a sentence, and for a contact that was verified what it means for that. */
export function noticeText(
  { kind, device, account }: Notice,
  { name, self, isVerified }: { name: string; self: AccountId; isVerified: boolean }
): string {
  const who = account === self ? 'you' : name
  if (kind === 'recovery-key') {
    return `${who} replaced the recovery key: the safety number has changed, compare it again`
  }
  const id = device === undefined ? '' : ` (${shortDevice(device)})`
  const what = `${who} ${kind === 'device-added' ? 'added' : 'removed'} a device${id}`
  if (account === self) return what
  if (!isVerified) return what
  return kind === 'device-added'
    ? `${what}; the safety number still holds, ask ${name} whether the device is theirs`
    : `${what}; the safety number still holds`
}
