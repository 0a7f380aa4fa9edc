// Who may change the membership of a group: one rule, for what this device commits and for what it receives, and
// for every implementation of the port.
import type { AccountId } from '@kith/protocols'
import { type CertificateCheck, GroupCryptoError, type Member } from './group-crypto.ts'
import { LEAVES_MAX } from './limits.ts'

/** A change of membership: who acts, and who comes and goes. */
export interface Change {
  readonly committer: Member
  readonly added: readonly Member[]
  /** Members, each once. */
  readonly removed: readonly Member[]
}

/** Ends with a refusal that names the broken rule. */
export function refuse(reason: string): never {
  throw new GroupCryptoError('policy', reason)
}

/**
 * Throws unless `committer` may make the change: to devices of its own account, to devices that `certified` no
 * longer accepts, or to any if its account created the group. Newcomers have to be certified and not there yet.
 * @throws GroupCryptoError `policy` or `uncertified`
 */
export function requireAllowed(
  group: { readonly creator: AccountId; readonly members: readonly Member[] },
  { committer, added, removed }: Change,
  certified: CertificateCheck
): void {
  const mayChange = ({ account }: Member) =>
    group.creator === committer.account || account === committer.account
  for (const member of removed) {
    if (!mayChange(member) && certified(member)) refuse('removal of another account')
  }
  for (const member of added) {
    if (!certified(member)) throw new GroupCryptoError('uncertified', 'an uncertified newcomer')
    if (!mayChange(member)) refuse('addition of another account')
  }
  const gone = new Set(removed.map(({ device }) => device))
  if (gone.size !== removed.length) refuse('one device removed twice')
  const staying = group.members.filter(({ device }) => !gone.has(device))
  if (staying.length + added.length > LEAVES_MAX) refuse(`more than ${LEAVES_MAX} devices`)
  const devices = new Set(staying.map(({ device }) => device))
  for (const { device } of added) {
    if (devices.has(device)) refuse('addition of a device that is a member')
    devices.add(device)
  }
}

/**
 * The members that `devices` name, for a removal by `own`.
 * @throws GroupCryptoError `policy` when one is not there, is this device, or none is named
 */
export function requireRemovable(
  members: readonly Member[],
  { devices, own }: { readonly devices: readonly string[]; readonly own: Member }
): readonly Member[] {
  const wanted = new Set(devices)
  const removed = members.filter(({ device }) => wanted.has(device))
  if (removed.length === 0 || removed.length !== wanted.size) {
    refuse('removal of a device that is not a member')
  }
  if (wanted.has(own.device)) refuse('a device cannot remove itself')
  return removed
}
