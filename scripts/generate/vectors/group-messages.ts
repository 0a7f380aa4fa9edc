// Full and empty examples of the messages of sequencer and linking.
import { linking, sequencer } from '@kith/protocols'
import { type Case, cases } from './cases.ts'
import { filled, signerOf } from './keys.ts'

const LARGEST = Number.MAX_SAFE_INTEGER

/** The sequencer's messages and receipts. */
export function sequencerVectors(): Record<string, readonly Case[]> {
  const receipt: sequencer.Receipt = {
    group: filled(0x60),
    epoch: LARGEST,
    parent: filled(0x70),
    commit: filled(0xc7),
    relay: signerOf(20).publicKey,
    sealed: filled(0x5e),
    next: filled(0x4e)
  }
  const signed: sequencer.SignedReceipt = {
    receipt: sequencer.Receipt.encode(receipt),
    signature: filled(0x94, 64)
  }
  return {
    'sequencer-append': [
      ...cases('request', sequencer.SequenceRequest, {
        group: filled(0x60),
        epoch: 7,
        commit: filled(0xc7),
        sealed: filled(0x5e, 304),
        proof: filled(0x70),
        next: filled(0x4e),
        previous: sequencer.SignedReceipt.encode(signed)
      }),
      ...cases('response', sequencer.SequenceResponse, {
        receipt: signed,
        sealed: filled(0x5e, 304)
      })
    ],
    'sequencer-decided': [
      ...cases('request', sequencer.DecidedRequest, { group: filled(0x60), epoch: 7 }),
      ...cases('response', sequencer.SequenceResponse, {
        receipt: signed,
        sealed: new Uint8Array(0)
      })
    ],
    'sequenced-change': cases('sequenced-change', sequencer.SequencedChange, {
      commit: filled(0xc7, 100),
      welcomes: [{ account: filled(0xa1), envelope: filled(0xe7, 200) }]
    }),
    receipt: cases('receipt', sequencer.Receipt, receipt),
    'signed-receipt': cases('signed-receipt', sequencer.SignedReceipt, signed)
  }
}

/** What two devices that are being linked say, and how it travels. */
export function linkingVectors(): Record<string, readonly Case[]> {
  return {
    'linking-put': [
      ...cases('request', linking.PutRequest, {
        rendezvous: filled(0x4e),
        index: 15,
        sealed: filled(0x4f, 60)
      }),
      ...cases('response', linking.PutResponse)
    ],
    'linking-watch': [
      ...cases('request', linking.WatchRequest, { rendezvous: filled(0x4e) }),
      ...cases('item', linking.WatchItem, { index: 15, sealed: filled(0x4f, 60) }),
      ...cases('acknowledgement', linking.WatchAcknowledgement)
    ],
    'link-offer': cases('link-offer', linking.Offer, {
      version: 1,
      commitment: filled(0x03),
      agreementKey: filled(0x25)
    }),
    'link-hello': cases('link-hello', linking.Hello, {
      version: 1,
      device: signerOf(2).publicKey,
      agreementKey: filled(0x25),
      nonce: filled(0x6e),
      name: 'Zoë’s laptop'
    }),
    'link-reveal': cases('link-reveal', linking.Reveal, {
      nonce: filled(0x6e),
      account: filled(0xa1),
      name: 'alice'
    }),
    'link-consent': cases('link-consent', linking.Consent, { consent: filled(0x97, 64) }),
    'link-bundle-part': cases('link-bundle-part', linking.BundlePart, {
      count: 8,
      part: filled(0x0b, 60)
    }),
    'link-done': cases('link-done', linking.Done),
    'link-refusal': cases('link-refusal', linking.Refusal, { code: 'emoji' })
  }
}
