// What a user interface sees of strangers, safety numbers and what happens around a conversation: plain data.
import type { AccountId, ConversationId, DeviceId } from '@kith/protocols'
import type { ContactView } from '../api.ts'

/** An account that this user has not added and that wrote first. */
export interface RequestView {
  readonly account: AccountId
  /** What it calls itself, behind a tilde and with the beginning of its id. Not sanitized. */
  readonly name: string
  /** Its first text, shortened; absent until one has come. Not sanitized. */
  readonly text: string | undefined
  /** When it came, by this device's clock. */
  readonly atMs: number
}

export interface BlockedView {
  readonly contact: ContactView
  /** Home relays that know of it already; the others are told when they are reached. */
  readonly relaysTold: number
}

export interface SafetyView {
  readonly contact: ContactView
  /** 60 digits, the same on both sides; they stay when devices change. */
  readonly digits: string
  /** Devices by the account logs, and 16 hexadecimal digits over each list. */
  readonly theirDevices: readonly DeviceId[]
  readonly theirDevicesHash: string
  readonly ownDevices: readonly DeviceId[]
  readonly ownDevicesHash: string
}

/** Something that happened in a conversation and is not a message. */
export interface NoticeView {
  readonly conversation: ConversationId
  readonly atMs: number
  /** Names the contact. Not sanitized. */
  readonly text: string
}

/** Strangers, blocking and verification, as a user interface calls them. `who` is a name, an account id, or the
 * first 8 or more characters of one. */
export interface ContactsApi {
  /** Open requests, newest first; at most 100. */
  listRequests(): Promise<readonly RequestView[]>
  /** Makes a stranger a contact: from now on it is told what arrives here. */
  acceptRequest(options: { who: string; name?: string }): Promise<ContactView>
  /** Takes a request off the list; its sender learns nothing. */
  ignoreRequest(options: { who: string }): Promise<ContactView>
  /** Nothing of the account is taken or shown any more, and the home relays refuse it. */
  blockContact(options: { who: string }): Promise<BlockedView>
  unblockContact(options: { who: string }): Promise<BlockedView>
  listBlocked(): Promise<readonly ContactView[]>
  safetyNumber(options: { who: string }): Promise<SafetyView>
  /** Marks a contact verified when the digits are this side's; UserError `safety-mismatch` when they differ. */
  verifyContact(options: { who: string; digits: string }): Promise<ContactView>
}
