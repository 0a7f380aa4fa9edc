// What a further device of the account is told of delivery: which conversations there are, and the keys that make
// their boxed envelopes readable. Messages are not told: the device reads its account's box from the beginning.
import type { AccountId, ConversationId } from '@kith/protocols'
import type { EpochState } from '../conversations/incarnations.ts'
import type { Write } from '../kernel/store/store.ts'
import { conversationWrite, epochWrite, numbersWrite } from './records.ts'
import type { ConversationState, DeliveryState } from './state.ts'

export interface TransferredConversation {
  readonly id: ConversationId
  readonly peer: AccountId
  /** The peer has had this account's name and delivery secret. */
  readonly introduced: boolean
  readonly epochs: readonly EpochState[]
}

/** Every conversation that has keys; the others begin on the new device as on this one. */
export function exportConversations(
  state: Pick<DeliveryState, 'conversations'>
): readonly TransferredConversation[] {
  return [...state.conversations.values()]
    .filter(({ epochs }) => epochs.length > 0)
    .map(({ id, peer, introduced, epochs }) => ({ id, peer, introduced, epochs }))
}

/** Records of an empty store: conversations whose groups this device will be added to by another. */
export function importWrites(conversations: readonly TransferredConversation[]): readonly Write[] {
  const writes = conversations.flatMap((transferred, index) => {
    const conversation = joining(transferred, index + 1)
    const epochs = transferred.epochs.map((epoch, at) => epochWrite(conversation.local, at, epoch))
    return [conversationWrite(conversation), ...epochs]
  })
  const lastConversation = conversations.length
  return [
    numbersWrite({ lastLocal: 0, lastConversation, lastWaiting: 0, addresses: [] }),
    ...writes
  ]
}

function joining(
  { id, peer, introduced, epochs }: TransferredConversation,
  local: number
): ConversationState {
  return {
    local,
    id,
    peer,
    phase: 'joining',
    changing: false,
    pending: undefined,
    addresses: new Map(),
    delivered: new Map(),
    counter: 0,
    deepest: 0,
    heads: [],
    received: new Map(),
    missingHeads: [],
    incarnations: [],
    epochs,
    introduced,
    receipt: {
      version: 0,
      isDue: false,
      sealedAtMs: 0,
      timer: false,
      sealing: false,
      isStale: false
    },
    unsealed: [],
    sealing: undefined
  }
}
