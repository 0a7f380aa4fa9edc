// The sealed change byte for byte, by an implementation of its own over node:crypto, and against whatever comes.
import { createCipheriv, createHash, hkdfSync } from 'node:crypto'
import { accountIdOf, envelope, messageIdOf, sequencer } from '@kith/protocols'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { wrapWelcome } from '../../src/conversations/welcome.ts'
import { openChange, sealChange } from '../../src/direct/sequenced-change.ts'
import { nodePrimitives as primitives } from '../../src/kernel/primitives.node.ts'
import { systemRandom as random } from '../../src/kernel/random.ts'

const bytes = (value: number, length = 32) => new Uint8Array(length).fill(value)
const ARCHIVE_KEY = bytes(1)

function welcomeOf(length: number) {
  const { id, envelope: sealed } = wrapWelcome(
    { welcome: bytes(2, length), reference: bytes(3) },
    { primitives, random }
  )
  return { id, envelope: sealed, account: accountIdOf(bytes(4)) }
}

/** As protocols/src/sequencer/README.md says; `bucket`: the size class that takes the change. */
function reference(commit: Uint8Array, bucket: number): Uint8Array {
  const change = sequencer.SequencedChange.encode({ commit, welcomes: [] })
  const salt = createHash('sha256')
    .update('kith/sequenced-salt/1\0')
    .update(ARCHIVE_KEY)
    .update(change)
    .digest()
  const key = hkdfSync('sha256', ARCHIVE_KEY, salt, 'kith/sequenced-key/1\0', 32)
  const bare = envelope.SealedContent.encode({ content: change })
  // A tag and a length of one or two bytes before the padding.
  const framing = bucket - bare.byteLength - 2 < 128 ? 2 : 3
  const padding = new Uint8Array(bucket - bare.byteLength - framing)
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(key), new Uint8Array(12))
  cipher.setAAD(salt)
  const plaintext = envelope.SealedContent.encode({ content: change, padding })
  expect(plaintext.byteLength).toBe(bucket)
  const sealed = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
  return Buffer.concat([salt, sealed])
}

it.each([
  [10, 256],
  [200, 256],
  [1_000, 1_024],
  [1_500, 2_048]
])(
  'a commit of %i bytes is sealed as the specification says, the same every time',
  (length, bucket) => {
    const commit = bytes(7, length)
    const sealed = sealChange({ commit, welcomes: [] }, ARCHIVE_KEY, primitives)
    expect(Buffer.from(sealed).toString('hex')).toBe(
      Buffer.from(reference(commit, bucket)).toString('hex')
    )
    expect(sealChange({ commit, welcomes: [] }, ARCHIVE_KEY, primitives)).toEqual(sealed)
  }
)

it('welcomes come out as they went in', () => {
  const change = { commit: bytes(5, 300), welcomes: [welcomeOf(500), welcomeOf(900)] }
  const opened = openChange(sealChange(change, ARCHIVE_KEY, primitives), ARCHIVE_KEY, primitives)
  expect(opened).toEqual(change)
  for (const { id, envelope: sealed } of opened?.welcomes ?? []) {
    expect(messageIdOf(primitives.sha256(sealed))).toBe(id)
  }
})

it('too many welcomes, or too large ones, never keep a commit from being sealed and read', () => {
  const many = { commit: bytes(5), welcomes: Array.from({ length: 20 }, () => welcomeOf(100)) }
  const some = openChange(sealChange(many, ARCHIVE_KEY, primitives), ARCHIVE_KEY, primitives)
  expect(some?.welcomes).toHaveLength(16)
  const large = { commit: bytes(5), welcomes: [welcomeOf(40_000), welcomeOf(40_000)] }
  const sealed = sealChange(large, ARCHIVE_KEY, primitives)
  expect(sealed.byteLength).toBeLessThanOrEqual(sequencer.SEALED_CHANGE_BYTES_MAX)
  expect(openChange(sealed, ARCHIVE_KEY, primitives)).toEqual({ commit: bytes(5), welcomes: [] })
})

it('the largest commit that an envelope takes fits, and a larger one is refused', () => {
  const largest = { commit: bytes(5, 64_900), welcomes: [] }
  const sealed = sealChange(largest, ARCHIVE_KEY, primitives)
  expect(sealed.byteLength).toBeLessThanOrEqual(sequencer.SEALED_CHANGE_BYTES_MAX)
  expect(openChange(sealed, ARCHIVE_KEY, primitives)?.commit).toEqual(largest.commit)
  const larger = { commit: bytes(5, 65_100), welcomes: [] }
  expect(() => sealChange(larger, ARCHIVE_KEY, primitives)).toThrowError(
    expect.objectContaining({ code: 'too-large' })
  )
})

it('nothing else opens, whatever it is, and nothing throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), (other) => {
      expect(openChange(other, ARCHIVE_KEY, primitives)).toBeUndefined()
    })
  )
})
