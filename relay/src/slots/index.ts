// The slot service: replaceable values in the boxes (receipts, read marks, drafts), highest version wins.
// Serves box/put-slot.
import { box as protocol } from '@kith/protocols'
import type { BoxComponents } from '../box/components.ts'
import type { Serve } from '../serve.ts'
import { putSlot } from './put-slot.ts'

export { openSlots } from './slots.ts'

/** Offers box/put-slot through `serve`. */
export function serveSlots(serve: Serve, components: BoxComponents): void {
  serve.request(protocol.boxPutSlot, (request, caller) => putSlot(request, caller, components))
}
