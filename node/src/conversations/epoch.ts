// From a group's view to what delivery needs of an epoch: its keys, its tag, its members' slots.
import { toString as toText } from 'uint8arrays/to-string'
import type { GroupView, Member } from '../groups/group-crypto.ts'
import type { Primitives } from '../kernel/primitives.ts'
import type { EpochState } from './incarnations.ts'
import { epochTag } from './sealing.ts'
import { slotTag } from './slot-sealing.ts'

export interface SlotTag {
  /** Hex of the 16-byte slot tag. */
  readonly tag: string
  readonly member: Member
}

/** The epoch as it is kept; everything follows from the view. */
export function epochOf(view: GroupView, primitives: Primitives): EpochState {
  return {
    groupId: toText(view.groupId, 'base16'),
    epoch: view.epoch,
    tag: toText(epochTag(view.archiveKey, primitives), 'base16'),
    archiveKey: view.archiveKey,
    authenticator: view.authenticator,
    members: view.members
  }
}

/** Where each member's receipts are found. */
export function slotTagsOf(epoch: EpochState, primitives: Primitives): readonly SlotTag[] {
  return epoch.members.map((member) => ({
    tag: toText(slotTag(epoch.archiveKey, member.device, primitives), 'base16'),
    member
  }))
}
