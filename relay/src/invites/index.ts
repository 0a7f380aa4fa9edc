// Invites: what a new account shows to a relay that does not take everybody. Only hashes are stored, so that a
// copy of the store opens no door. Record: uses left, when it was made.
import type { Clock, Primitives, Random, Write } from '@kith/node/kernel'
import { fromString } from 'uint8arrays/from-string'
import { toString as toText } from 'uint8arrays/to-string'
import { OperatorError } from '../errors.ts'
import type { Serial } from '../limits/serial.ts'
import { FieldReader, FieldWriter } from '../storage/fields.ts'
import { key, rangeOf, TABLE } from '../storage/keys.ts'
import type { StoreReader } from '../storage/reader.ts'

/** 128 random bits: not to be guessed at any rate a relay answers. */
export const INVITE_BYTES = 16
/** Longest text that is looked up; longer ones are unknown without hashing them. */
const INVITE_TEXT_MAX = 128
/** Hexadecimal digits of the hash that name an invite to the operator. */
const NAME_DIGITS = 12
/** Enough for one a day over years; each is a record of 40 bytes. */
const INVITES_MAX = 10_000

export interface FoundInvite {
  /** Uses up one; to be committed together with what it was used for. */
  readonly use: Write
}

export interface InviteView {
  /** The beginning of its hash: an invite itself is shown once, when it is made. */
  readonly invite: string
  readonly usesLeft: number
  readonly createdAtMs: number
}

/** 26 characters, base32, from 16 random bytes. */
export function createInviteToken(random: Random): string {
  return toText(random.bytes(INVITE_BYTES), 'base32')
}

type Sha256 = Primitives['sha256']

const inviteKey = (token: string, sha256: Sha256): Uint8Array =>
  key(TABLE.invite, sha256(fromString(token, 'utf8')))

/** Makes the token usable `uses` times. */
export function inviteWrite(
  token: string,
  { uses, createdAtMs }: { readonly uses: number; readonly createdAtMs: number },
  sha256: Sha256
): Write {
  const value = new FieldWriter().varint(uses).varint(createdAtMs).finish()
  return { type: 'put', key: inviteKey(token, sha256), value }
}

function read(record: Uint8Array): { uses: number; createdAtMs: number } {
  const reader = new FieldReader(record)
  return { uses: reader.varint(), createdAtMs: reader.varint() }
}

export interface InviteComponents {
  readonly store: StoreReader
  readonly primitives: Pick<Primitives, 'sha256'>
  readonly random: Random
  readonly clock: Clock
  readonly commit: (writes: readonly Write[]) => Promise<void>
  /** Turns in which accounts are made: no use of an invite falls between its look-up and its change. */
  readonly appends: Serial
}

export class InviteBook {
  readonly #components: InviteComponents

  constructor(components: InviteComponents) {
    this.#components = components
  }

  /** The invite if it is known and has uses left. */
  async find(token: string): Promise<FoundInvite | undefined> {
    const { store, primitives } = this.#components
    if (token === '' || token.length > INVITE_TEXT_MAX) return undefined
    const record = await store.get(inviteKey(token, primitives.sha256))
    if (record === undefined) return undefined
    const { uses, createdAtMs } = read(record)
    if (uses === 0) return undefined
    return { use: inviteWrite(token, { uses: uses - 1, createdAtMs }, primitives.sha256) }
  }

  /** A fresh token, usable once it resolves. Throws OperatorError `too-many`. */
  async create(uses: number): Promise<InviteView & { readonly token: string }> {
    const { random, clock, primitives, commit } = this.#components
    const held = await this.list()
    if (held.length >= INVITES_MAX) {
      throw new OperatorError('too-many', `There are ${INVITES_MAX} invites already.`, {
        hint: 'Revoke those that are not needed: kith-relay invite list'
      })
    }
    const token = createInviteToken(random)
    const write = inviteWrite(token, { uses, createdAtMs: clock.now() }, primitives.sha256)
    await commit([write])
    return { token, invite: nameOf(write.key), usesLeft: uses, createdAtMs: clock.now() }
  }

  /** Those that were made and not revoked, used up or not; oldest first. */
  async list(): Promise<readonly InviteView[]> {
    const views: InviteView[] = []
    for await (const [record, value] of this.#components.store.scan(rangeOf(TABLE.invite))) {
      const { uses, createdAtMs } = read(value)
      views.push({ invite: nameOf(record), usesLeft: uses, createdAtMs })
    }
    return views.sort((a, b) => a.createdAtMs - b.createdAtMs)
  }

  /** Nobody comes in with it any more. `invite`: its token, or its name in the list. Throws `not-found`. */
  revoke(invite: string): Promise<{ readonly invite: string }> {
    const { appends, store, primitives, commit } = this.#components
    const hashed = inviteKey(invite, primitives.sha256)
    return appends.run(async () => {
      for await (const [record] of store.scan(rangeOf(TABLE.invite))) {
        if (nameOf(record) !== invite && nameOf(record) !== nameOf(hashed)) continue
        await commit([{ type: 'delete', key: record }])
        return { invite: nameOf(record) }
      }
      throw new OperatorError('not-found', 'There is no such invite.', {
        hint: 'kith-relay invite list shows those that are.'
      })
    })
  }
}

function nameOf(recordKey: Uint8Array): string {
  return toText(recordKey.subarray(1), 'base16').slice(0, NAME_DIGITS)
}
