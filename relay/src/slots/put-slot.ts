// box/put-slot: one replaceable value into the caller's own box and each target's. A target's token is made for
// the SHA-256 of the encoded slot in place of an envelope id.
import {
  type Caller,
  envelope as envelopes,
  ProtocolError,
  box as protocol,
  requireBytes
} from '@kith/protocols'
import { destinationsOf, distinct } from '../box/append.ts'
import type { BoxComponents } from '../box/components.ts'

type PutSlotComponents = Pick<BoxComponents, 'slots' | 'directory' | 'primitives' | 'rates'>

/** Throws ProtocolError: `forbidden`, `malformed`, `too-large`, `not-found` with the index of a target, `rate-limited`. */
export async function putSlot(
  { slot, targets }: protocol.PutSlotRequest,
  caller: Pick<Caller, 'publicKey'>,
  { slots, directory, primitives, rates }: PutSlotComponents
): Promise<protocol.PutSlotResponse> {
  const sender = directory.ofDevice(caller.publicKey)
  if (sender === undefined) throw new ProtocolError('forbidden', 'device-of-no-account-here')
  rates.append(sender.account, 1 + targets.length)
  if (slot === undefined) throw new ProtocolError('malformed', 'no-slot')
  requireBytes(slot.tag, envelopes.SLOT_TAG_BYTES, 'a slot tag')
  if (slot.sealed.byteLength > envelopes.SLOT_BYTES_MAX) {
    throw new ProtocolError('too-large', 'slot')
  }
  if (!Number.isSafeInteger(slot.version)) throw new ProtocolError('malformed', 'slot-version')
  const subject = primitives.sha256(protocol.Slot.encode(slot))
  const destinations = distinct([
    { box: sender.box, trusted: true },
    ...destinationsOf(targets, { sender, subject }, { directory, primitives })
  ])
  for (const { box, trusted, isBlocked = false } of destinations) {
    // Not refused: no slot of a stranger ever is, so a refusal would tell the sender of the block.
    if (!isBlocked) await slots.put(box, slot, trusted)
  }
  return {}
}
