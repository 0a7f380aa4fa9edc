// The meeting places of devices that are being linked: which there are, who opened them, what was left there.
// Memory only, for as long as a link takes. Pure.
import { linking, MIB, MINUTE_MS, ProtocolError } from '@kith/protocols'
import { equals } from 'uint8arrays/equals'

/** From the first sign of life: long enough to compare six emoji on two screens and type a passphrase. */
export const RENDEZVOUS_TTL_MS = 10 * MINUTE_MS
/** Links under way at once; a busy relay sees a few in ten minutes. */
export const RENDEZVOUS_MAX = 256
/** Sealed bytes of all links together. */
export const RENDEZVOUS_BYTES_MAX = 32 * MIB
/** Share of both that is open to devices of no account here: they cost nothing to make, and the device that shows
 * or types the code at the other side belongs to one. */
export const STRANGER_SHARE = 0.5
/** Links one device has open at once: one, and earlier tries that were given up. The next ends the oldest. */
export const RENDEZVOUS_PER_DEVICE_MAX = 4
/** Devices that watch one link: two, and a third to which its user brought the same code. */
export const WATCHERS_MAX = 4

export interface Rendezvous {
  /** As map key. */
  readonly name: string
  readonly expiresAtMs: number
  /** Device, as map key, that opened it. */
  readonly openedBy: string
  /** A device of an account here has been at it. */
  isOfAccount: boolean
  /** By position. */
  readonly messages: Map<number, Uint8Array>
  bytes: number
  watchers: number
  isClosed: boolean
}

export interface LinkTable {
  readonly byName: Map<string, Rendezvous>
  bytes: number
}

/** Who comes to a meeting place. */
export interface Visitor {
  /** As map key. */
  readonly device: string
  /** It belongs to an account hosted here. */
  readonly isOfAccount: boolean
}

/** No links under way. */
export function createLinkTable(): LinkTable {
  return { byName: new Map(), bytes: 0 }
}

/** Forgets the meeting places whose time is over. */
export function expire(table: LinkTable, nowMs: number): void {
  // In order of opening, so the first that stays ends it.
  for (const rendezvous of table.byName.values()) {
    if (rendezvous.expiresAtMs > nowMs) return
    close(table, rendezvous)
  }
}

/** The meeting place of that name, opened if there is none. Throws `unavailable` with a time to retry. */
export function meet(table: LinkTable, name: string, visitor: Visitor, nowMs: number): Rendezvous {
  expire(table, nowMs)
  const known = table.byName.get(name)
  if (known !== undefined) {
    known.isOfAccount ||= visitor.isOfAccount
    return known
  }
  closeOwn(table, visitor)
  requireRoom(table, visitor, nowMs)
  const rendezvous: Rendezvous = {
    name,
    expiresAtMs: nowMs + RENDEZVOUS_TTL_MS,
    openedBy: visitor.device,
    isOfAccount: visitor.isOfAccount,
    messages: new Map(),
    bytes: 0,
    watchers: 0,
    isClosed: false
  }
  table.byName.set(name, rendezvous)
  return rendezvous
}

/**
 * Leaves a message; the same one again changes nothing. Returns whether it is new. Throws ProtocolError
 * `malformed` for a position that no link has, `too-large`, `conflict` when something else was written there,
 * `unavailable` when the relay holds as much as it may.
 */
export function leave(
  table: LinkTable,
  rendezvous: Rendezvous,
  { index, sealed }: { readonly index: number; readonly sealed: Uint8Array },
  nowMs: number
): boolean {
  requireMessage(index, sealed)
  const there = rendezvous.messages.get(index)
  if (there !== undefined) {
    if (equals(there, sealed)) return false
    throw new ProtocolError('conflict', 'position-written')
  }
  const limit = RENDEZVOUS_BYTES_MAX * (rendezvous.isOfAccount ? 1 : STRANGER_SHARE)
  if (bytesOf(table, rendezvous.isOfAccount) + sealed.byteLength > limit) throw full(table, nowMs)
  // By itself: a view would keep the whole network buffer.
  rendezvous.messages.set(index, new Uint8Array(sealed))
  rendezvous.bytes += sealed.byteLength
  table.bytes += sealed.byteLength
  return true
}

/** Ends a meeting place that nobody watches and where nothing was left. */
export function closeIfIdle(table: LinkTable, rendezvous: Rendezvous): void {
  if (rendezvous.watchers === 0 && rendezvous.messages.size === 0) close(table, rendezvous)
}

function close(table: LinkTable, rendezvous: Rendezvous): void {
  if (table.byName.get(rendezvous.name) !== rendezvous) return
  rendezvous.isClosed = true
  table.byName.delete(rendezvous.name)
  table.bytes -= rendezvous.bytes
}

/** Makes room among those that the visitor opened himself, which nobody else waits for. */
function closeOwn(table: LinkTable, { device }: Visitor): void {
  const own = [...table.byName.values()].filter(({ openedBy }) => openedBy === device)
  const [oldest] = own
  if (oldest !== undefined && own.length >= RENDEZVOUS_PER_DEVICE_MAX) close(table, oldest)
}

function requireRoom(table: LinkTable, { isOfAccount }: Visitor, nowMs: number): void {
  let ofStrangers = 0
  for (const rendezvous of table.byName.values()) if (!rendezvous.isOfAccount) ofStrangers += 1
  const isFull = table.byName.size >= RENDEZVOUS_MAX
  const isShareFull = !isOfAccount && ofStrangers >= RENDEZVOUS_MAX * STRANGER_SHARE
  if (isFull || isShareFull) throw full(table, nowMs)
}

/** What counts against a visitor's limit: everything, or for strangers what strangers hold. */
function bytesOf(table: LinkTable, isOfAccount: boolean): number {
  if (isOfAccount) return table.bytes
  let bytes = 0
  for (const rendezvous of table.byName.values()) {
    if (!rendezvous.isOfAccount) bytes += rendezvous.bytes
  }
  return Math.max(bytes, table.bytes - RENDEZVOUS_BYTES_MAX * (1 - STRANGER_SHARE))
}

function requireMessage(index: number, sealed: Uint8Array): void {
  if (!Number.isSafeInteger(index) || index < 0 || index >= linking.LINK_MESSAGES_MAX) {
    throw new ProtocolError('malformed', 'position')
  }
  if (sealed.byteLength === 0) throw new ProtocolError('malformed', 'message-empty')
  if (sealed.byteLength > linking.LINK_MESSAGE_BYTES_MAX) {
    throw new ProtocolError('too-large', 'message')
  }
}

function full(table: LinkTable, nowMs: number): ProtocolError {
  return new ProtocolError('unavailable', 'links', { retryAfterMs: untilNextEnd(table, nowMs) })
}

function untilNextEnd(table: LinkTable, nowMs: number): number {
  const [oldest] = table.byName.values()
  return Math.max(1, (oldest?.expiresAtMs ?? nowMs) - nowMs)
}
