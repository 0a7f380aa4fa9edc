// Domain separation: every hash, MAC, key derivation and signature of Kith begins with one of these, so that
// bytes made for one purpose never verify for another. The trailing zero keeps a label from being the prefix
// of a longer one.
import { fromString } from 'uint8arrays/from-string'

/** ASCII text and a zero byte. */
const label = (text: string): Uint8Array => fromString(`${text}\0`, 'ascii')

export const LABELS = {
  /** Hash of an encoded account operation; of the first one, that is the account's id. */
  account: label('kith/account/1'),
  /** Signature of an account operation. */
  accountOperation: label('kith/account-operation/1'),
  /** Signature of a new device: it wants to belong to this account. */
  deviceConsent: label('kith/device-consent/1'),
  /** Value of a box chain before its first entry. */
  boxChainStart: label('kith/box-chain-start/1'),
  /** Value of a box chain after an entry. */
  boxChain: label('kith/box-chain/1'),
  /** Merkle leaf of a box in a group commit. */
  boxHead: label('kith/box-head/1'),
  /** Signature of a relay under a group commit. */
  boxCommit: label('kith/box-commit/1'),
  /** MAC that shows a home relay that the sender is a contact of the recipient. */
  deliveryToken: label('kith/delivery-token/1'),
  /** Name of a group at its sequencer. */
  sequencedGroup: label('kith/sequenced-group/1'),
  /** Hash of a commit at its sequencer. */
  sequencedCommit: label('kith/sequenced-commit/1'),
  /** Hash of what a winner sealed, in its receipt. */
  sequencedSealed: label('kith/sequenced-sealed/1'),
  /** Salt of what a winner seals: no two plaintexts share a key. */
  sequencedSalt: label('kith/sequenced-salt/1'),
  /** Key that seals one change for the members of the epoch that it ends. */
  sequencedKey: label('kith/sequenced-key/1'),
  /** What a member of an epoch shows to its group's sequencer. */
  sequencerProof: label('kith/sequencer-proof/1'),
  /** Hash of that, told one commit ahead. */
  sequencerProofHash: label('kith/sequencer-proof-hash/1'),
  /** Signature of a sequencer under a receipt. */
  receipt: label('kith/receipt/1'),
  /** Hash of a receipt: the parent of the next one of its group. */
  receiptHash: label('kith/receipt-hash/1'),
  /** Hash of the sorted account ids of a direct chat: its conversation id. */
  directConversation: label('kith/direct/1'),
  /** Tag of an epoch on the outside of its envelopes. */
  envelopeTag: label('kith/envelope/tag/1'),
  /** Key that seals the sender header of one envelope. */
  envelopeHeader: label('kith/envelope/header/1'),
  /** Key of one envelope's content and the commitment to it. */
  envelopeMessage: label('kith/envelope/message/1'),
  /** Signature of the sending device inside the seal. */
  envelopeSignature: label('kith/envelope/signature/1'),
  /** Key that seals a welcome for the key package it consumes. */
  welcomeKey: label('kith/welcome/key/1'),
  /** Opaque tag of a device's slot in a conversation. */
  slotTag: label('kith/slot/tag/1'),
  /** Key that seals one version of a slot. */
  slotKey: label('kith/slot/key/1'),
  /** Signature of a device under a slot's content. */
  slotSignature: label('kith/slot/signature/1')
} as const
