// What whoever changes a group leaves with its sequencer: the change, readable by members of the epoch that it ends,
// so that nobody has to be heard of again for the others to go on. See protocols/src/sequencer/README.md.
import {
  accountIdOf,
  HASH_BYTES,
  idBytes,
  LABELS,
  ProtocolError,
  sequencer,
  envelope as wire
} from '@kith/protocols'
import { concat } from 'uint8arrays/concat'
import { equals } from 'uint8arrays/equals'
import { decodeOrUndefined } from '../conversations/decoding.ts'
import { padContent } from '../conversations/padding.ts'
import { readEnvelope } from '../conversations/sealing.ts'
import type { SealedWelcome } from '../delivery/state.ts'
import type { Primitives } from '../kernel/primitives.ts'

const KEY_BYTES = 32
/** Zero is safe: the key is bound to all that it seals, and the same change gives the same bytes. */
const ZERO_NONCE = new Uint8Array(12)
const NO_SIGNATURE = new Uint8Array(0)
/** As many as a decoder takes; devices come one at a time. */
const WELCOMES_MAX = 16

export interface Change {
  /** Encoded MLS commit. */
  readonly commit: Uint8Array
  /** Of those that it adds: they hear of the group from whoever finds the change. */
  readonly welcomes: readonly SealedWelcome[]
}

/**
 * The change under a key of the epoch that it ends (`archiveKey`, 32 bytes). Welcomes that find no room are left
 * out. Throws ProtocolError `too-large` for a commit that would fit no envelope either.
 */
export function sealChange(
  { commit, welcomes }: Change,
  archiveKey: Uint8Array,
  primitives: Primitives
): Uint8Array {
  const whole = {
    commit,
    welcomes: welcomes.slice(0, WELCOMES_MAX).map(({ account, envelope }) => ({
      account: idBytes(account),
      envelope
    }))
  }
  try {
    return seal(sequencer.SequencedChange.encode(whole), archiveKey, primitives)
  } catch (error) {
    if (!(error instanceof ProtocolError) || error.code !== 'too-large') throw error
    const bare = sequencer.SequencedChange.encode({ commit, welcomes: [] })
    return seal(bare, archiveKey, primitives)
  }
}

function seal(content: Uint8Array, archiveKey: Uint8Array, primitives: Primitives): Uint8Array {
  const salt = saltOf(content, archiveKey, primitives)
  const key = primitives.hkdf(archiveKey, salt, LABELS.sequencedKey, KEY_BYTES)
  const plaintext = padContent(content, NO_SIGNATURE)
  return concat([salt, primitives.seal(key, ZERO_NONCE, plaintext, salt)])
}

/** 32 bytes; shows nothing of the content to who does not have the key. */
function saltOf(content: Uint8Array, archiveKey: Uint8Array, { sha256 }: Primitives): Uint8Array {
  return sha256(LABELS.sequencedSalt, archiveKey, content)
}

/** What `sealChange` sealed; undefined for anything else. Welcomes that cannot be any are left out. */
export function openChange(
  sealed: Uint8Array,
  archiveKey: Uint8Array,
  primitives: Primitives
): Change | undefined {
  if (sealed.byteLength > sequencer.SEALED_CHANGE_BYTES_MAX) return undefined
  const salt = sealed.subarray(0, HASH_BYTES)
  const key = primitives.hkdf(archiveKey, salt, LABELS.sequencedKey, KEY_BYTES)
  const plaintext = primitives.open(key, ZERO_NONCE, sealed.subarray(HASH_BYTES), salt)
  const max = wire.ENVELOPE_BYTES_MAX
  const content = plaintext && decodeOrUndefined(wire.SealedContent, plaintext, max)?.content
  if (content === undefined || !equals(saltOf(content, archiveKey, primitives), salt)) {
    return undefined
  }
  const change = decodeOrUndefined(sequencer.SequencedChange, content, max)
  if (change === undefined) return undefined
  const welcomes = change.welcomes.flatMap((one): readonly SealedWelcome[] => {
    const read = readEnvelope(one.envelope, primitives)
    if (read === undefined || one.account.byteLength !== HASH_BYTES) return []
    return [{ id: read.id, envelope: one.envelope, account: accountIdOf(one.account) }]
  })
  return { commit: change.commit, welcomes }
}
