// identity/fetch: the signed operations of an account hosted here. Public: every client checks them itself.
import { accountIdOf, HASH_BYTES, identity, ProtocolError, requireBytes } from '@kith/protocols'
import type { IdentityComponents } from './components.ts'
import { loadAccount, loadOperations } from './records.ts'

/** Throws ProtocolError `not-found` for an account that is not hosted here. */
export async function fetchLog(
  { account, from }: identity.FetchLogRequest,
  { store, directory }: Pick<IdentityComponents, 'store' | 'directory'>
): Promise<identity.FetchLogResponse> {
  requireBytes(account, HASH_BYTES, 'an account')
  const stored = directory.ofAccount(account) && (await loadAccount(store, accountIdOf(account)))
  if (stored === undefined) throw new ProtocolError('not-found', 'account')
  const { length } = stored.state
  if (from >= length) return { operations: [], length }
  const limit = identity.OPERATIONS_PER_FETCH_MAX
  return { operations: await loadOperations(store, stored.box, { from, limit }), length }
}
