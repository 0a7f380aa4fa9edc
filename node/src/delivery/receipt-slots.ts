// Receipts in their sealed form: from what a step wants told to a slot, and back.
import { type box, type DeviceId, deviceIdOf, envelope, publicKeyOf } from '@kith/protocols'
import type { Ranges } from '../conversations/counters.ts'
import { openSlot, sealSlot } from '../conversations/slot-sealing.ts'
import type { LocalDevice } from '../groups/group-crypto.ts'
import type { Primitives } from '../kernel/primitives.ts'
import type { Random } from '../kernel/random.ts'
import type { Effect, Input } from './inputs.ts'

/** Devices and ranges that one receipt tells of: what fits a slot with room to spare. With more gaps than that the
 * highest ranges are told: the lowest were told before, and some gaps never close. */
const DEVICES_MAX = 64
const RANGES_PER_DEVICE_MAX = 32
const RANGES_MAX = 400

type SealReceipt = Extract<Effect, { type: 'seal-receipt' }>
type OpenReceipt = Extract<Effect, { type: 'open-receipt' }>

/** The slot that tells it. */
export function sealReceipt(
  receipt: SealReceipt,
  components: { device: LocalDevice; primitives: Primitives; random: Random }
): box.Slot {
  const { device, primitives, random } = components
  return sealSlot(
    {
      archiveKey: receipt.archiveKey,
      sender: device,
      conversation: receipt.conversation,
      version: receipt.version,
      delivered: deliveredOf(receipt.received),
      addresses: receipt.addresses,
      salt: random.bytes(envelope.SALT_BYTES)
    },
    primitives
  )
}

function deliveredOf(received: ReadonlyMap<DeviceId, Ranges>): envelope.Delivered[] {
  let room = RANGES_MAX
  return [...received].slice(0, DEVICES_MAX).map(([device, ranges]) => {
    const told = ranges.slice(Math.max(0, ranges.length - Math.min(RANGES_PER_DEVICE_MAX, room)))
    room -= told.length
    return { device: publicKeyOf(device), ranges: told.map(({ from, to }) => ({ from, to })) }
  })
}

/** What a slot tells; undefined unless the member whose slot it is sealed it for this conversation. */
export function openReceipt(
  { owner, slot }: OpenReceipt,
  primitives: Primitives
): Extract<Input, { type: 'receipt' }> | undefined {
  const { archiveKey, conversation, member } = owner
  const opened = openSlot({ slot, archiveKey }, primitives)
  if (opened === undefined || opened.conversation !== conversation) return undefined
  if (opened.account !== member.account || opened.device !== member.device) return undefined
  const delivered = new Map(
    opened.delivered.map(({ device, ranges }) => [deviceIdOf(device), ranges])
  )
  const { addresses } = opened
  return { type: 'receipt', conversation, member, delivered, addresses, archiveKey }
}
