// Envelopes of another program's making, put where a relay takes them: what a peer that means harm can do with its keys.
import { openMemoryStore } from '@kith/node/kernel'
import { nodePrimitives as primitives } from '@kith/node/kernel/host'
import { loadState, sealEnvelope } from '@kith/node/testing'
import { box, envelope, idBytes, ProtocolError } from '@kith/protocols'
import type { Person } from './person.ts'
import type { World } from './world.ts'

/** Puts bytes into somebody's box as this device, trying again while the stranger's quota is used up. */
export async function append(
  world: World,
  from: Person,
  to: Person,
  bytes: Uint8Array
): Promise<void> {
  const relay = { id: world.relayId, addresses: world.relayAddresses() }
  const targets = [{ account: idBytes(to.account), deliveryToken: new Uint8Array(0) }]
  for (;;) {
    try {
      const request = from.rpc?.request(relay, box.boxAppend, { envelope: bytes, targets })
      await world.run(20)
      await request
      return
    } catch (error) {
      if (!(error instanceof ProtocolError) || error.code !== 'quota') throw error
      await world.run(500)
    }
  }
}

/**
 * Bodies sealed with the keys that a person has of its talk, as a program of another kind would. `sender`: whom they
 * claim to be from, and whose key signs them; the person itself unless given.
 */
export async function sealAs(
  world: World,
  person: Person,
  bodies: readonly envelope.Body[],
  sender = person.local
): Promise<Uint8Array[]> {
  await person.stop()
  const store = await person.openStore(openMemoryStore(person.disk))
  const profile = { name: person.name, deliverySecret: person.deliverySecret }
  const state = await loadState({ store, primitives }, { self: person.local, profile })
  await store.close()
  const [conversation] = state.conversations.values()
  const epoch = conversation?.epochs.at(-1)
  if (conversation === undefined || epoch === undefined) throw new Error('no talk')
  await person.start()
  await world.run(3_000)
  return bodies.map(
    (body, index) =>
      sealEnvelope(
        {
          archiveKey: epoch.archiveKey,
          sender,
          counter: conversation.counter + 1_000 + index,
          salt: world.random.bytes(envelope.SALT_BYTES),
          content: {
            conversation: idBytes(conversation.id),
            group: Uint8Array.from(Buffer.from(epoch.groupId, 'hex')),
            epoch: epoch.epoch,
            authenticator: epoch.authenticator,
            heads: [],
            depth: 1,
            sentAtMs: 1,
            body
          }
        },
        primitives
      ).envelope
  )
}
