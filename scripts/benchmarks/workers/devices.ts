// Worker: alice and bob, two devices of two accounts on one relay. Alice appends; with a subscription bob
// receives, and alice sees her own entries, as in the messenger.
import { box } from '@kith/protocols'
import { drive, type Load } from '../measure/load.ts'
import { type Device, joinRelay, keyOf, sealedAppend } from './device.ts'
import { serveCommands } from './serve.ts'

const received = new Map<string, () => void>()
let alice: Device
let bob: Device

/** Follows the device's own box from its beginning and acknowledges every item. */
async function follow(device: Device, onEntry: (entry: box.Entry) => void): Promise<void> {
  const start = { storeEpoch: new Uint8Array(0), after: 0 }
  const { signal } = new AbortController()
  const items = await device.network.rpc.subscribe(device.relay, box.boxSubscribe, start, {
    signal
  })
  void (async () => {
    for await (const { storeEpoch, entries } of items) {
      for (const entry of entries) onEntry(entry)
      const last = entries.at(-1)
      if (last !== undefined) items.acknowledge({ storeEpoch, number: last.number })
    }
  })()
}

function append(request: box.AppendRequest): Promise<box.AppendResponse> {
  return alice.network.rpc.request(alice.relay, box.boxAppend, request)
}

serveCommands({
  async open({ joinLinks }: { joinLinks: readonly string[] }) {
    alice = await joinRelay(joinLinks[0] ?? '')
    bob = await joinRelay(joinLinks[1] ?? '')
  },
  async subscribe() {
    await follow(bob, (entry) => {
      const id = keyOf(entry.envelopeId)
      received.get(id)?.()
      received.delete(id)
    })
    await follow(alice, () => {})
  },
  /** An append is in flight until the relay says that it is on disk. */
  accept(load: Load) {
    const sealed = Array.from({ length: load.count }, () => sealedAppend(bob).request)
    return drive(load, (index) => append(sealed[index] as box.AppendRequest))
  },
  /** A message is in flight until bob has it and alice knows that it is on disk. */
  forward(load: Load) {
    const sealed = Array.from({ length: load.count }, () => sealedAppend(bob))
    return drive(load, (index) => {
      const { request, id } = sealed[index] as (typeof sealed)[number]
      const arrival = new Promise<void>((resolve) => received.set(id, resolve))
      return Promise.all([arrival, append(request)])
    })
  }
})
