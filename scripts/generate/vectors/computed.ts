// Inputs and results of the pure code: identifiers, links, chains, trees, heads, tokens.
import {
  accountIdOf,
  box,
  formatContactLink,
  formatJoinLink,
  LABELS,
  linking,
  relayIdOf,
  sequencer
} from '@kith/protocols'
import { accountLog } from './account-log.ts'
import { checks, filled, hmac, signerOf } from './keys.ts'

const { sha256 } = checks
const FIRST = signerOf(1)
const SECOND = signerOf(2)
const RELAY = signerOf(20)
const EPOCH = filled(0xe0, 16)
const ADDRESSES = ['/ip4/127.0.0.1/tcp/4001']

function identifiers(): unknown {
  const hash = accountIdOf(filled(1))
  const peer = relayIdOf(FIRST.publicKey)
  return {
    hashes: {
      valid: [
        { bytes: filled(1), text: hash },
        { bytes: filled(0xff), text: accountIdOf(filled(0xff)) }
      ],
      invalid: [
        '',
        hash.slice(1),
        `${hash}a`,
        hash.toUpperCase(),
        `${hash.slice(0, 51)}b`,
        `${hash.slice(0, 51)}1`,
        ` ${hash}`,
        `${hash}=`
      ]
    },
    peers: {
      valid: [
        { publicKey: FIRST.publicKey, text: peer },
        { publicKey: filled(0), text: relayIdOf(filled(0)) }
      ],
      invalid: [
        '',
        peer.slice(1),
        `${peer}1`,
        peer.toLowerCase(),
        `${peer.slice(0, -1)}0`,
        `${peer.slice(0, -1)}l`,
        'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N',
        ` ${peer}`
      ]
    }
  }
}

function links(): unknown {
  const account = accountIdOf(filled(1))
  const relay = relayIdOf(RELAY.publicKey)
  const addresses = ADDRESSES
  const contacts = [
    { account, name: 'alice', relays: [{ relay, addresses }] },
    {
      account,
      name: 'Zoë & 👩‍🚀 = ?',
      relays: [
        { relay, addresses: [...addresses, '/dns4/relay.example/tcp/443/tls/ws'] },
        { relay: relayIdOf(SECOND.publicKey), addresses }
      ]
    }
  ]
  const joins = [
    { relay, addresses, invite: 'aB3-_x' },
    { relay, addresses, invite: '' }
  ]
  const good = formatContactLink({ account, name: 'alice', relays: [{ relay, addresses }] })
  const join = formatJoinLink({ relay, addresses, invite: 'x' })
  const invalid = (text: string, about: string): unknown => ({ about, text })
  return {
    contact: {
      valid: contacts.map((link) => ({ text: formatContactLink(link), link })),
      invalid: [
        invalid('', 'nothing'),
        invalid('https://example.com', 'another scheme'),
        invalid(join, 'a join link'),
        invalid(good.toUpperCase(), 'upper case'),
        invalid(good.replace(account, account.slice(1)), 'an account id cut short'),
        invalid(good.replace('name=alice&', ''), 'no name'),
        invalid(good.replace('alice', ''), 'an empty name'),
        invalid(good.replace('alice', 'a%00b'), 'a zero byte in the name'),
        invalid(good.replace('alice', '%1b%5b2J'), 'an escape sequence in the name'),
        invalid(good.replace('alice', '%ff'), 'a name that is not UTF-8'),
        invalid(good.replace('alice', 'a%2'), 'broken percent-encoding'),
        invalid(good.replace('alice', 'a'.repeat(65)), 'a name of 65 bytes'),
        invalid(`${good}&name=bob`, 'two names'),
        invalid(good.replace(/&relay=.*/, ''), 'no relay'),
        invalid(good.replace(`/p2p/${relay}`, ''), 'a relay without its peer id'),
        invalid(
          good.replace(relay, 'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N'),
          'a relay of another key type'
        ),
        invalid(good.replace('/ip4', 'ip4'), 'an address that is no multiaddr'),
        invalid(good.replace('/ip4', '/ip4%20'), 'an address with a space'),
        invalid(`${good}&pad=${'a'.repeat(2_048)}`, 'more than 2 KiB')
      ]
    },
    join: {
      valid: joins.map((link) => ({ text: formatJoinLink(link), link })),
      invalid: [
        invalid('', 'nothing'),
        invalid(good, 'a contact link'),
        invalid(join.replace(relay, relay.slice(1)), 'a relay id cut short'),
        invalid(join.replace(/\?.*/, ''), 'no address'),
        invalid(join.replace('invite=x', 'invite='), 'an empty invite'),
        invalid(join.replace('invite=x', 'invite=a%20b'), 'an invite with a space'),
        invalid(`${join}&invite=y`, 'two invites'),
        invalid(join.replace('/tcp/4001', `/tcp/4001%0a`), 'a line break in an address')
      ]
    }
  }
}

function chain(): unknown {
  const account = filled(0xa1)
  let value = box.chainStart(EPOCH, account, sha256)
  const start = value
  const steps = [1, 2, 3, Number.MAX_SAFE_INTEGER].map((number) => {
    const envelopeId = sha256(filled(number & 255))
    value = box.chainNext(value, number, envelopeId, sha256)
    return { number, envelopeId, chain: value }
  })
  return { storeEpoch: EPOCH, account, start, steps }
}

function merkle(): unknown {
  return [0, 1, 2, 3, 4, 5, 7, 8, 9, 13].map((count) => {
    const leaves = Array.from({ length: count }, (_, index) => filled(index, index))
    const tree = box.merkleTree(leaves, sha256)
    return { leaves, root: tree.root, paths: leaves.map((_, index) => tree.path(index)) }
  })
}

function heads(): unknown {
  const all = [1, 2, 3].map((value) => ({
    box: filled(value),
    number: value * 10,
    chain: filled(100 + value)
  }))
  const tree = box.merkleTree(all.map(box.boxHeadLeaf), sha256)
  const commit = box.Commit.encode({
    storeEpoch: EPOCH,
    sequence: 12,
    leafCount: 3,
    root: tree.root,
    committedAtMs: 1_700_000_000_000
  })
  const signature = RELAY.sign(box.commitToSign(commit))
  return {
    relay: RELAY.publicKey,
    storeEpoch: EPOCH,
    signedHeads: all.map((head, leafIndex) =>
      box.SignedHead.encode({
        head,
        commit: { commit, signature },
        leafIndex,
        path: tree.path(leafIndex)
      })
    )
  }
}

function tokens(): unknown {
  return [1, 2].map((value) => {
    const token = {
      secret: filled(value),
      account: filled(0xa0 + value),
      envelopeId: filled(0xe0 + value)
    }
    return { ...token, token: box.deliveryToken(token, hmac) }
  })
}

function receipts(): unknown {
  let parent: Uint8Array = new Uint8Array(0)
  const chain = [0, 1, 4].map((epoch) => {
    const commit = sha256(LABELS.sequencedCommit, filled(epoch, 100))
    const group = sha256(LABELS.sequencedGroup, filled(0x60))
    const sealed = sequencer.sealedChangeHash(filled(epoch, 304), sha256)
    const next = sequencer.proofHash(filled(epoch + 1), sha256)
    const fields = { group, epoch, parent, commit, relay: RELAY.publicKey, sealed, next }
    const receipt = sequencer.Receipt.encode(fields)
    const signature = RELAY.sign(sequencer.receiptToSign(receipt))
    parent = sequencer.receiptHash(receipt, sha256)
    return { receipt, signature, hash: parent }
  })
  return { relay: RELAY.publicKey, groupId: filled(0x60), chain }
}

/** File name to its content. */
export function computedVectors(): Record<string, unknown> {
  return {
    labels: LABELS,
    'link-labels': linking.LINK_LABELS,
    identifiers: identifiers(),
    links: links(),
    'box-chain': chain(),
    merkle: merkle(),
    'signed-head': heads(),
    'delivery-token': tokens(),
    'receipt-chain': receipts(),
    'account-log': accountLog()
  }
}
