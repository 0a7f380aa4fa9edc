// What direct chats have in common: who may be in their groups, where to ask about an account, how a welcome
// travels, and what to tell the user when something is refused.
import { type AccountId, ProtocolError, type RelayId } from '@kith/protocols'
import type { Contacts } from '../contacts/contacts.ts'
import type { Directory } from '../contacts/directory.ts'
import { wrapWelcome } from '../conversations/welcome.ts'
import { isTemporary } from '../delivery/opening.ts'
import type { SealedWelcome } from '../delivery/state.ts'
import { type GroupCrypto, GroupCryptoError, type GroupSnapshot } from '../groups/group-crypto.ts'
import type { Primitives } from '../kernel/primitives.ts'
import type { Random } from '../kernel/random.ts'
import type { PeerAddress } from '../kernel/rpc.ts'

/** The two accounts of the chat and nobody else, this account among them. */
export function requireDirect(snapshot: GroupSnapshot, self: AccountId): GroupSnapshot {
  const accounts = new Set(snapshot.view.members.map(({ account }) => account))
  const { creator } = snapshot.view
  if (accounts.size !== 2 || !accounts.has(self) || !accounts.has(creator)) {
    throw new GroupCryptoError('policy', 'a direct chat has exactly two accounts')
  }
  return snapshot
}

/** Where to ask about an account: its relays as far as known, our own, then the devices that its link named. */
export function relaysOf(
  known: { contacts: Contacts; directory: Directory; homes: readonly PeerAddress[] },
  account: AccountId
): readonly PeerAddress[] {
  const logged = known.directory.state(account)?.homes ?? []
  const linked = known.contacts.get(account)?.relays ?? []
  const byId = new Map<string, PeerAddress>()
  for (const { relay, addresses } of [...linked, ...logged]) {
    byId.set(relay, { id: relay, addresses })
  }
  const devices = known.contacts.get(account)?.devices ?? []
  return [
    ...byId.values(),
    ...known.homes.filter(({ id }) => !byId.has(id)),
    ...devices.map(({ device, addresses }) => ({ id: device, addresses }))
  ]
}

/** The first home of the account that founded the group, by its own log. */
export function sequencerOf(
  { creator }: { readonly creator: AccountId },
  { directory }: { readonly directory: Directory }
): PeerAddress & { id: RelayId } {
  const [home] = directory.state(creator)?.homes ?? []
  if (home === undefined) throw new ProtocolError('unreachable', 'the group has no sequencer')
  return { id: home.relay, addresses: home.addresses }
}

/** One envelope for each device that a welcome is for, for the box of its account, by the key package's reference. */
export function wrapAll(
  welcome: Uint8Array,
  accountOf: (reference: Uint8Array) => AccountId,
  components: { crypto: GroupCrypto; primitives: Primitives; random: Random }
): readonly SealedWelcome[] {
  return components.crypto.welcomeReferences(welcome).map((reference) => ({
    ...wrapWelcome({ welcome, reference }, components),
    account: accountOf(reference)
  }))
}

/** Why something was refused, as part of a sentence; rethrows what may work later. */
export function refusalOf(error: unknown): string {
  if (isTemporary(error)) throw error
  if (error instanceof GroupCryptoError) return error.message
  if (error instanceof ProtocolError) return `its sender's account log or receipt is ${error.code}`
  throw error
}
