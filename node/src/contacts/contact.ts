// What is kept of an account other than this one, and where it stands with this user.
import type { AccountId, DeviceAddress, RelayAddress } from '@kith/protocols'
import { equals } from 'uint8arrays/equals'
import { strangerName } from './names.ts'

/** As many as a person may read through; a flood pushes out its own oldest first. */
const REQUESTS_OPEN_MAX = 100

export interface Contact {
  /** Local integer, the name of this record on disk. */
  readonly local: number
  readonly account: AccountId
  /** Given by this user; of a stranger, what it calls itself behind a tilde, with the beginning of its id. */
  readonly name: string
  readonly relays: readonly RelayAddress[]
  /** Where devices can be reached directly, as the link said. */
  readonly devices: readonly DeviceAddress[]
  /** Told by the contact inside the seal; makes its homes take us for a contact. */
  readonly deliverySecret: Uint8Array | undefined
  /** Added or accepted by this user, as against somebody who wrote first. */
  readonly confirmed: boolean
  /** Absent where it never wrote before it was added. */
  readonly request?: ContactRequest
  readonly blocked?: boolean
  /** Accepted, and what it wrote as a stranger is not in the event log yet. */
  readonly isUnshown?: boolean
  /** The root keys whose safety number this user has compared and found equal. */
  readonly verified?: RootKeys
}

/** What became of a first contact. `ignored` by the user, `dropped` for want of room until it writes again. */
export interface ContactRequest {
  /** Ascending in the order in which they came, whatever the clock said. */
  readonly number: number
  /** When it came, by this device's clock. */
  readonly atMs: number
  readonly state: 'open' | 'ignored' | 'dropped'
  /** It was told to the user, once. */
  readonly isAnnounced: boolean
}

/** Recovery keys, 32 bytes each: they outrank every device of their accounts. */
export interface RootKeys {
  readonly own: Uint8Array
  readonly theirs: Uint8Array
}

export type Standing = 'contact' | 'request' | 'ignored' | 'blocked'

/** Where an account stands with this user. */
export function standingOf({ blocked, confirmed, request }: Contact): Standing {
  if (blocked === true) return 'blocked'
  if (confirmed) return 'contact'
  return request === undefined || request.state === 'open' ? 'request' : 'ignored'
}

/** An account of which only its id is known. */
export const strangerOf = (account: AccountId, local: number): Contact => ({
  local,
  account,
  name: strangerName(account, ''),
  relays: [],
  devices: [],
  deliverySecret: undefined,
  confirmed: false
})

export const isSameRoot = (a: RootKeys, b: RootKeys | undefined): boolean =>
  b !== undefined && equals(a.own, b.own) && equals(a.theirs, b.theirs)

export const isSameSecret = ({ deliverySecret }: Contact, other: Uint8Array): boolean =>
  deliverySecret !== undefined && equals(deliverySecret, other)

/** A request that comes after all of those known. */
export function newRequest(known: Iterable<Contact>, atMs: number): ContactRequest {
  let number = 1
  for (const { request } of known) number = Math.max(number, (request?.number ?? 0) + 1)
  return { number, atMs, state: 'open', isAnnounced: false }
}

/** What stands of its request; one that was dropped comes anew when it writes again. */
export const standingRequest = ({ request }: Contact): ContactRequest | undefined =>
  request?.state === 'dropped' ? undefined : request

/** In the order in which they came. */
export const byRequest = (a: Contact, b: Contact): number =>
  (a.request?.number ?? 0) - (b.request?.number ?? 0) || a.local - b.local

/** The oldest open requests that have no room beside this one, as no longer open. */
export function overflowOf(known: Iterable<Contact>, added: Contact): readonly Contact[] {
  if (standingOf(added) !== 'request') return []
  const open = [...known].filter(
    (one) => one.account !== added.account && standingOf(one) === 'request'
  )
  const excess = open.length + 1 - REQUESTS_OPEN_MAX
  if (excess <= 0) return []
  return open
    .sort(byRequest)
    .slice(0, excess)
    .map((one) => {
      const { number = 0, atMs = 0 } = one.request ?? {}
      return { ...one, request: { number, atMs, state: 'dropped', isAnnounced: false } }
    })
}

/** As a contact; whoever wrote before has messages that nobody was shown. */
export function confirmed(contact: Contact): Contact {
  if (contact.confirmed) return contact
  const hasWritten = contact.request !== undefined
  return { ...contact, confirmed: true, ...(hasWritten ? { isUnshown: true } : {}) }
}
