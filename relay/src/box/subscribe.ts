// box/subscribe: everything in the caller's box after a cursor, then whatever comes. A subscriber that is slow
// costs one item: what it has not taken is read when its credit allows, from memory or from disk.
import {
  type Caller,
  ProtocolError,
  type Publisher,
  type box as protocol,
  type SubscriptionHandler
} from '@kith/protocols'
import { equals } from 'uint8arrays/equals'
import { FieldWriter } from '../storage/fields.ts'
import { mapKey } from '../storage/keys.ts'
import type { BoxNumber } from './box.ts'
import type { BoxComponents } from './components.ts'
import { readEntries } from './read.ts'
import { cursorKey } from './records.ts'
import { settledOrAborted, Wake } from './wake.ts'

type Item = protocol.SubscribeItem
type BoxPublisher = Publisher<Item, protocol.Acknowledgement>

/** Serves subscriptions; a device has one at a time, and the newest wins. */
export function createSubscriptions(
  components: BoxComponents
): SubscriptionHandler<typeof protocol.boxSubscribe> {
  const running = new Map<string, AbortController>()
  components.directory.onForgotten((device) =>
    running.get(device)?.abort(new ProtocolError('forbidden', 'device-removed'))
  )
  return async (request, publisher, caller) => {
    const device = mapKey(caller.publicKey)
    // A connection that died unnoticed must not keep the device's new one from its box.
    running.get(device)?.abort(new ProtocolError('conflict', 'subscribed-again'))
    const replaced = new AbortController()
    running.set(device, replaced)
    const signal = AbortSignal.any([caller.signal, replaced.signal])
    components.events.subscriptions(running.size)
    try {
      // Named one by one: a caller's fields may be getters, which spreading would lose.
      const { device: id, publicKey } = caller
      await subscribe(request, publisher, { device: id, publicKey, signal }, components)
    } finally {
      if (running.get(device) === replaced) running.delete(device)
      components.events.subscriptions(running.size)
    }
    replaced.signal.throwIfAborted()
  }
}

async function subscribe(
  request: protocol.SubscribeRequest,
  publisher: BoxPublisher,
  caller: Caller,
  components: BoxComponents
): Promise<void> {
  const { boxes, directory, slots, failpoint } = components
  const hosted = directory.ofDevice(caller.publicKey)
  if (hosted === undefined) throw new ProtocolError('forbidden', 'device-of-no-account-here')
  const { box } = hosted
  const wake = new Wake(caller.signal)
  const changedSlots = new Set<string>()
  const unwatch = boxes.live.watch(box, {
    onEntries: () => wake.now(),
    onSlot: (tag) => {
      changedSlots.add(tag)
      wake.now()
    }
  })
  try {
    for (const tag of await slots.tags(box)) changedSlots.add(tag)
    const reader = new BoxReader(components, {
      box,
      device: mapKey(caller.publicKey),
      changedSlots,
      after: await startOf(request, box, components)
    })
    const acknowledged = createAcknowledgements(components, box, caller.publicKey)
    acknowledged({ storeEpoch: request.storeEpoch, number: reader.sent }, reader.sent)
    publisher.onAcknowledgement((acknowledgement) => {
      if (!caller.signal.aborted) acknowledged(acknowledgement, reader.sent)
    })
    while (!caller.signal.aborted) {
      const item = await reader.next()
      if (caller.signal.aborted) return
      if (item !== undefined && item.entries.length > 0) await failpoint?.('relay-push')
      if (item === undefined) await wake.wait()
      // A subscriber that gives no credit must not keep the subscription from ending.
      else await settledOrAborted(publisher.push(item), caller.signal)
    }
  } finally {
    unwatch()
  }
}

/**
 * Where to begin: after the subscriber's cursor if it belongs to this store epoch. A cursor of another epoch, or
 * one beyond the end, says nothing about this log, so it is sent from its beginning: doubled is better than lost.
 */
async function startOf(
  { storeEpoch, after }: protocol.SubscribeRequest,
  box: BoxNumber,
  { boxes, events }: BoxComponents
): Promise<number> {
  if (!equals(storeEpoch, boxes.storeEpoch)) return 0
  const head = await boxes.head(box)
  if (after <= (head.head?.number ?? 0)) return after
  events.cursorAhead()
  return 0
}

/** Takes acknowledgements of one subscription; those of another epoch or beyond what was sent are ignored. */
function createAcknowledgements(
  { boxes, events }: BoxComponents,
  box: BoxNumber,
  publicKey: Uint8Array
) {
  const recordKey = cursorKey(box, publicKey)
  const name = mapKey(recordKey)
  let highest = 0
  return ({ storeEpoch, number }: protocol.Acknowledgement, sent: number): void => {
    if (number <= highest || number > sent || !equals(storeEpoch, boxes.storeEpoch)) return
    highest = number
    boxes.acknowledge(box, number)
    const value = new FieldWriter().varint(number).finish()
    boxes.writeLater(name, { type: 'put', key: recordKey, value })
    events.acknowledged()
  }
}

interface Reading {
  readonly box: BoxNumber
  /** Map key of the subscribing device. */
  readonly device: string
  /** Tags to send; taken out as they are. */
  readonly changedSlots: Set<string>
  readonly after: number
}

/** The next item of one subscription, from wherever it is. */
class BoxReader {
  readonly #components: BoxComponents
  readonly #reading: Reading
  #sent: number
  #headSent = -1

  constructor(components: BoxComponents, reading: Reading) {
    this.#components = components
    this.#reading = reading
    this.#sent = reading.after
  }

  /** Number of the last entry handed out. */
  get sent(): number {
    return this.#sent
  }

  /** Undefined when the subscriber has everything. */
  async next(): Promise<Item | undefined> {
    const { boxes, slots, events } = this.#components
    const { box, device, changedSlots } = this.#reading
    const newest = await boxes.head(box)
    const end = newest.head?.number ?? 0
    const entries =
      this.#sent < end
        ? await readEntries({ box, from: this.#sent + 1, to: end, device }, this.#components)
        : []
    this.#sent = entries[entries.length - 1]?.number ?? this.#sent
    const head = this.#sent === end && this.#headSent !== end ? newest : undefined
    if (head !== undefined) this.#headSent = end
    const changed = changedSlots.size === 0 ? [] : await slots.take(box, changedSlots)
    if (entries.length === 0 && head === undefined && changed.length === 0) return undefined
    events.pushed(entries.length)
    const item = { storeEpoch: boxes.storeEpoch, entries, slots: changed }
    return head === undefined ? item : { ...item, head }
  }
}
