// The account as this device keeps it: who it is, its log, its homes, and the secret that lets contacts in.
import { type AccountId, idBytes, identity, ProtocolError } from '@kith/protocols'
import { decodeRecord, encodeRecord } from '../kernel/record.ts'
import type { PeerAddress, Rpc } from '../kernel/rpc.ts'
import { storeKey } from '../kernel/store/key.ts'
import type { Store, Write } from '../kernel/store/store.ts'

const KEY = storeKey('identity/profile')

export interface Profile {
  readonly account: AccountId
  /** Self-chosen display name. */
  readonly name: string
  /** The account's own log, as signed here. */
  readonly operations: readonly identity.SignedOperation[]
  readonly homes: readonly identity.HomeEntry[]
  /** 32 bytes; see protocols/src/box/README.md. */
  readonly deliverySecret: Uint8Array
  /** Asked for by the first home. */
  readonly invite: string
}

/** The profile of the account in this store; undefined before one was made. */
export async function readProfile(store: Store): Promise<Profile | undefined> {
  const record = await store.get(KEY)
  return record === undefined ? undefined : decodeRecord<Profile>(record)
}

/** Resolves once the profile is on disk. */
export async function writeProfile(store: Store, profile: Profile): Promise<void> {
  await store.commit([profileWrite(profile)])
}

export const profileWrite = (profile: Profile): Write => ({
  type: 'put',
  key: KEY,
  value: encodeRecord(profile)
})

/** Makes sure a home holds the account's whole log; safe to repeat. */
export async function ensureRegistered({
  rpc,
  home,
  profile,
  signal
}: {
  rpc: Rpc
  home: PeerAddress
  profile: Profile
  signal: AbortSignal
}): Promise<void> {
  const held = await heldBy(home, { rpc, profile, signal })
  for (const operation of profile.operations.slice(held)) {
    const request = { operation, invite: profile.invite }
    await rpc.request(home, identity.identityAppend, request, { signal })
  }
}

/** How many operations of the log the home has. */
async function heldBy(
  home: PeerAddress,
  { rpc, profile, signal }: { rpc: Rpc; profile: Profile; signal: AbortSignal }
): Promise<number> {
  try {
    const request = { account: idBytes(profile.account), from: profile.operations.length }
    return (await rpc.request(home, identity.identityFetch, request, { signal })).length
  } catch (error) {
    if (error instanceof ProtocolError && error.code === 'not-found') return 0
    throw error
  }
}
