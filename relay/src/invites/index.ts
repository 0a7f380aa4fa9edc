// Invites: what a new account shows to a relay that does not take everybody. Only hashes are stored, so that a
// copy of the store opens no door. Record: uses left.
import type { Primitives, Random, Write } from '@kith/node/kernel'
import { fromString } from 'uint8arrays/from-string'
import { toString as toText } from 'uint8arrays/to-string'
import { FieldReader, FieldWriter } from '../storage/fields.ts'
import { key, TABLE } from '../storage/keys.ts'
import type { StoreReader } from '../storage/reader.ts'

/** 128 random bits: not to be guessed at any rate a relay answers. */
export const INVITE_BYTES = 16
/** Longest text that is looked up; longer ones are unknown without hashing them. */
const INVITE_TEXT_MAX = 128

export interface FoundInvite {
  /** Uses up one; to be committed together with what it was used for. */
  readonly use: Write
}

export interface Invites {
  /** The invite if it is known and has uses left. */
  find(token: string): Promise<FoundInvite | undefined>
}

/** 26 characters, base32, from 16 random bytes. */
export function createInviteToken(random: Random): string {
  return toText(random.bytes(INVITE_BYTES), 'base32')
}

type Sha256 = Primitives['sha256']

const inviteKey = (token: string, sha256: Sha256): Uint8Array =>
  key(TABLE.invite, sha256(fromString(token, 'utf8')))

/** Makes the token usable `uses` times. */
export function inviteWrite(token: string, uses: number, sha256: Sha256): Write {
  return {
    type: 'put',
    key: inviteKey(token, sha256),
    value: new FieldWriter().varint(uses).finish()
  }
}

/** The invites of a store. */
export function openInvites(store: StoreReader, sha256: Sha256): Invites {
  return {
    async find(token) {
      if (token === '' || token.length > INVITE_TEXT_MAX) return undefined
      const record = await store.get(inviteKey(token, sha256))
      const uses = record === undefined ? 0 : new FieldReader(record).varint()
      return uses === 0 ? undefined : { use: inviteWrite(token, uses - 1, sha256) }
    }
  }
}
