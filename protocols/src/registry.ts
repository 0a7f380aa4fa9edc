// Every protocol and every encoded value there is. Documentation, metrics, fuzzers and tests iterate these lists.
import {
  boxAppend,
  boxConfigure,
  boxPutSlot,
  boxSubscribe,
  COMMIT_BYTES_MAX,
  Commit
} from './box/index.ts'
import type { Codec, Protocol, SubscriptionProtocol } from './define.ts'
import { directDeliver, directHeads } from './direct/index.ts'
import {
  Content,
  ENVELOPE_BYTES_MAX,
  Envelope,
  SealedContent,
  SealedSlot,
  SenderHeader,
  SignedSlot,
  SLOT_BYTES_MAX,
  SlotContent
} from './envelope/index.ts'
import { FRAME_BYTES_MAX, Frame } from './frame/index.ts'
import {
  identityAppend,
  identityFetch,
  OPERATION_BYTES_MAX,
  Operation,
  SignedOperation
} from './identity/index.ts'
import { keyPackagesPublish, keyPackagesTake } from './key-packages/index.ts'
import {
  BundlePart,
  Consent,
  Done,
  Hello,
  LINK_MESSAGE_BYTES_MAX,
  LINK_TALK_BYTES_MAX,
  linkingPut,
  linkingWatch,
  Offer,
  Refusal,
  Reveal
} from './linking/index.ts'
import {
  RECEIPT_BYTES_MAX,
  Receipt,
  SEALED_CHANGE_BYTES_MAX,
  SequencedChange,
  SignedReceipt,
  sequencerAppend,
  sequencerDecided
} from './sequencer/index.ts'

// biome-ignore lint/suspicious/noExplicitAny: a registry holds protocols of every message type
type AnyProtocol = Protocol<any, any> | SubscriptionProtocol<any, any, any>

export const PROTOCOLS: readonly AnyProtocol[] = [
  identityAppend,
  identityFetch,
  keyPackagesPublish,
  keyPackagesTake,
  boxAppend,
  boxSubscribe,
  boxPutSlot,
  boxConfigure,
  directDeliver,
  directHeads,
  sequencerAppend,
  sequencerDecided,
  linkingPut,
  linkingWatch
]

/** What is encoded by itself: stored, sealed, hashed or signed, and not only a request or response. */
export interface DataCodec {
  readonly name: string
  // biome-ignore lint/suspicious/noExplicitAny: a registry holds codecs of every message type
  readonly codec: Codec<any>
  readonly bytesMax: number
}

/** Account and device id, counter, and room for the padding that hides the counter's length. */
const SENDER_HEADER_BYTES_MAX = 256
/** Signer (34 bytes) and signature (66) around an operation, with its own length. */
const SIGNED_OPERATION_BYTES_MAX = OPERATION_BYTES_MAX + 128

export const DATA_CODECS: readonly DataCodec[] = [
  { name: 'frame', codec: Frame, bytesMax: FRAME_BYTES_MAX },
  { name: 'envelope', codec: Envelope, bytesMax: ENVELOPE_BYTES_MAX },
  { name: 'sender-header', codec: SenderHeader, bytesMax: SENDER_HEADER_BYTES_MAX },
  { name: 'sealed-content', codec: SealedContent, bytesMax: ENVELOPE_BYTES_MAX },
  { name: 'content', codec: Content, bytesMax: ENVELOPE_BYTES_MAX },
  { name: 'sealed-slot', codec: SealedSlot, bytesMax: SLOT_BYTES_MAX },
  { name: 'signed-slot', codec: SignedSlot, bytesMax: SLOT_BYTES_MAX },
  { name: 'slot-content', codec: SlotContent, bytesMax: SLOT_BYTES_MAX },
  { name: 'operation', codec: Operation, bytesMax: OPERATION_BYTES_MAX },
  { name: 'signed-operation', codec: SignedOperation, bytesMax: SIGNED_OPERATION_BYTES_MAX },
  { name: 'commit', codec: Commit, bytesMax: COMMIT_BYTES_MAX },
  { name: 'receipt', codec: Receipt, bytesMax: RECEIPT_BYTES_MAX },
  { name: 'signed-receipt', codec: SignedReceipt, bytesMax: RECEIPT_BYTES_MAX },
  { name: 'sequenced-change', codec: SequencedChange, bytesMax: SEALED_CHANGE_BYTES_MAX },
  { name: 'link-offer', codec: Offer, bytesMax: LINK_TALK_BYTES_MAX },
  { name: 'link-hello', codec: Hello, bytesMax: LINK_TALK_BYTES_MAX },
  { name: 'link-reveal', codec: Reveal, bytesMax: LINK_TALK_BYTES_MAX },
  { name: 'link-consent', codec: Consent, bytesMax: LINK_TALK_BYTES_MAX },
  { name: 'link-bundle-part', codec: BundlePart, bytesMax: LINK_MESSAGE_BYTES_MAX },
  { name: 'link-done', codec: Done, bytesMax: LINK_TALK_BYTES_MAX },
  { name: 'link-refusal', codec: Refusal, bytesMax: LINK_TALK_BYTES_MAX }
]
