// One full and one empty example of every request, response, item, acknowledgement and data codec.
import { box, direct, envelope, frame, identity, keyPackages } from '@kith/protocols'
import { type Case, cases } from './cases.ts'
import { linkingVectors, sequencerVectors } from './group-messages.ts'
import { filled, signerOf } from './keys.ts'

const EPOCH = filled(0xe0, 16)
const AT_MS = 1_700_000_000_000
const LARGEST = Number.MAX_SAFE_INTEGER
const TARGETS: box.Target[] = [
  { account: filled(0xa1), deliveryToken: filled(0xd1) },
  { account: filled(0xa2), deliveryToken: new Uint8Array(0) }
]
const SLOT: box.Slot = { tag: filled(0x51, 16), version: 7, sealed: filled(0x52, 48) }
const COMMIT: box.Commit = {
  storeEpoch: EPOCH,
  sequence: 12,
  leafCount: 3,
  root: filled(0x33),
  committedAtMs: AT_MS
}
const HEAD: box.SignedHead = {
  head: { box: filled(0xa1), number: 1_204, chain: filled(0xc1) },
  commit: { commit: box.Commit.encode(COMMIT), signature: filled(0x99, 64) },
  leafIndex: 2,
  path: [filled(0x31), filled(0x32)]
}
const HOME: identity.Home = {
  relay: signerOf(20).publicKey,
  addresses: ['/ip4/127.0.0.1/tcp/4001', '/dns4/relay.example/tcp/443/tls/ws']
}
const OPERATION: identity.Operation = {
  version: 1,
  account: filled(0xa1),
  sequence: 3,
  previous: filled(0x0f),
  createdAtMs: AT_MS
}
const SIGNED: identity.SignedOperation = {
  operation: identity.Operation.encode({ ...OPERATION, setHomes: { homes: [HOME] } }),
  signer: signerOf(1).publicKey,
  signature: filled(0x98, 64)
}

function boxVectors(): Record<string, readonly Case[]> {
  return {
    'box-append': [
      ...cases('request', box.AppendRequest, { envelope: filled(0xee, 80), targets: TARGETS }),
      ...cases('response', box.AppendResponse, { storeEpoch: EPOCH, number: LARGEST })
    ],
    'box-subscribe': [
      ...cases('request', box.SubscribeRequest, { storeEpoch: EPOCH, after: 300 }),
      ...cases('item', box.SubscribeItem, {
        storeEpoch: EPOCH,
        entries: [
          { number: 301, envelopeId: filled(1), envelope: filled(2, 80), receivedAtMs: AT_MS },
          { number: 302, envelopeId: filled(3), envelope: new Uint8Array(0), receivedAtMs: AT_MS }
        ],
        head: HEAD,
        slots: [SLOT]
      }),
      ...cases('acknowledgement', box.Acknowledgement, { storeEpoch: EPOCH, number: 302 })
    ],
    'box-put-slot': [
      ...cases('request', box.PutSlotRequest, { slot: SLOT, targets: TARGETS }),
      ...cases('response', box.PutSlotResponse)
    ],
    'box-configure': [
      ...cases('request', box.ConfigureRequest, {
        deliverySecret: filled(0xd5),
        blocked: [filled(0xa4)]
      }),
      ...cases('response', box.ConfigureResponse)
    ],
    commit: cases('commit', box.Commit, COMMIT)
  }
}

function identityVectors(): Record<string, readonly Case[]> {
  return {
    'identity-append': [
      ...cases('request', identity.AppendOperationRequest, { operation: SIGNED, invite: 'aB3-_x' }),
      ...cases('response', identity.AppendOperationResponse, { length: 4 })
    ],
    'identity-fetch': [
      ...cases('request', identity.FetchLogRequest, { account: filled(0xa1), from: 2 }),
      ...cases('response', identity.FetchLogResponse, { operations: [SIGNED], length: 4 })
    ],
    'signed-operation': cases('signed-operation', identity.SignedOperation, SIGNED),
    operation: cases(
      'operation',
      identity.Operation,
      {
        ...OPERATION,
        account: new Uint8Array(0),
        sequence: 0,
        previous: new Uint8Array(0),
        create: {
          nonce: filled(7),
          device: signerOf(1).publicKey,
          recoveryKey: signerOf(9).publicKey,
          homes: [HOME]
        }
      },
      {
        ...OPERATION,
        addDevice: { device: signerOf(2).publicKey, consent: filled(0x97, 64) }
      },
      { ...OPERATION, setHomes: { homes: [HOME] } },
      { ...OPERATION, setRecoveryKey: { recoveryKey: signerOf(10).publicKey } },
      { ...OPERATION, removeDevice: { device: signerOf(2).publicKey } }
    )
  }
}

function envelopeVectors(): Record<string, readonly Case[]> {
  const content: envelope.Content = {
    conversation: filled(0xc0),
    group: filled(0x60),
    epoch: 2,
    authenticator: filled(0xaf, 8),
    heads: [filled(0x11), filled(0x12)],
    depth: 5,
    sentAtMs: AT_MS
  }
  return {
    envelope: cases('envelope', envelope.Envelope, {
      version: 1,
      epochTag: filled(0x01, 16),
      salt: filled(0x02, 16),
      commitment: filled(0x03),
      sealedHeader: filled(0x04, 96),
      sealedContent: filled(0x05, 272)
    }),
    'sender-header': cases('sender-header', envelope.SenderHeader, {
      account: filled(0xa1),
      device: signerOf(1).publicKey,
      counter: 1_204
    }),
    'sealed-content': cases('sealed-content', envelope.SealedContent, {
      content: filled(0x06, 90),
      signature: filled(0x96, 64),
      padding: filled(0, 30)
    }),
    content: cases(
      'content',
      envelope.Content,
      { ...content, body: { text: { text: 'Grüße, 世界 👋🏽' } } },
      { ...content, body: { introduction: { name: 'alice', deliverySecret: filled(0xd5) } } },
      { ...content, body: { commit: { commit: filled(0x07, 20), receipt: filled(0x0c, 30) } } }
    ),
    'sealed-slot': cases('sealed-slot', envelope.SealedSlot, {
      salt: filled(0x02, 16),
      sealed: filled(0x08, 96)
    }),
    'signed-slot': cases('signed-slot', envelope.SignedSlot, {
      content: filled(0x09, 60),
      signature: filled(0x95, 64)
    }),
    'slot-content': cases('slot-content', envelope.SlotContent, {
      conversation: filled(0xc0),
      account: filled(0xa1),
      device: signerOf(1).publicKey,
      version: 3,
      delivered: [
        {
          device: signerOf(2).publicKey,
          ranges: [
            { from: 1, to: 4 },
            { from: 6, to: LARGEST }
          ]
        }
      ],
      addresses: ['/ip4/192.0.2.7/tcp/4001']
    })
  }
}

function otherVectors(): Record<string, readonly Case[]> {
  return {
    'direct-heads': [
      ...cases('request', direct.LogHeads, {
        heads: [{ relay: filled(1, 32), head: filled(2, 80) }]
      }),
      ...cases('response', direct.LogHeads, {
        heads: [{ relay: filled(1, 32), head: filled(2, 80) }]
      })
    ],
    'direct-deliver': [
      ...cases('request', direct.DeliverRequest, { envelopes: [filled(1, 80), filled(2, 80)] }),
      ...cases('response', direct.DeliverResponse, { delivered: [filled(3), filled(4)] })
    ],
    'key-packages-publish': [
      ...cases('request', keyPackages.PublishRequest, {
        packages: [filled(1, 40), filled(2, 40)],
        lastResort: filled(3, 40),
        withdraw: [filled(4)]
      }),
      ...cases('response', keyPackages.PublishResponse, {
        held: [filled(5), filled(6)],
        lastResort: filled(7)
      })
    ],
    'key-packages-take': [
      ...cases('request', keyPackages.TakeRequest, { account: filled(0xa1) }),
      ...cases('response', keyPackages.TakeResponse, {
        packages: [
          { device: signerOf(1).publicKey, keyPackage: filled(1, 40), lastResort: true },
          { device: signerOf(2).publicKey, keyPackage: filled(2, 40), lastResort: false }
        ]
      })
    ],
    frame: cases('frame', frame.Frame, {
      kind: frame.FrameKind.REQUEST,
      id: 4_294_967_295,
      method: '/kith/box/append/1.0.0',
      body: filled(0x0b, 20),
      status: 8,
      detail: 'rate-limited',
      retryAfterMs: 1_500,
      credit: 2_097_152
    })
  }
}

/** File name to its content: the name of each part's message, what is special, hex and content. */
export function messageVectors(): Record<string, readonly Case[]> {
  return {
    ...boxVectors(),
    ...identityVectors(),
    ...envelopeVectors(),
    ...sequencerVectors(),
    ...linkingVectors(),
    ...otherVectors()
  }
}
