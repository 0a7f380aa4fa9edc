// Changes of the account's own log: appended at its first home, which takes an operation only on top of the last.
import { identity, ProtocolError } from '@kith/protocols'
import type { Directory } from '../contacts/directory.ts'
import type { LocalDevice } from '../groups/group-crypto.ts'
import type { PeerAddress, Rpc } from '../kernel/rpc.ts'

/** Another device may change the log at the same time; more often than this in a row it is not chance. */
const ATTEMPTS_MAX = 4

export interface AccountLogComponents {
  readonly rpc: Rpc
  readonly directory: Directory
  readonly device: LocalDevice
  /** The account's, the first decides. */
  readonly homes: readonly PeerAddress[]
}

export interface AccountChange {
  /** Whether the log says it already: by an earlier attempt of unknown outcome, or by another device. */
  readonly isDone: (state: identity.AccountState) => boolean
  readonly sign: (state: identity.AccountState) => identity.SignedOperation
}

/** Resolves once the home has it and this device has stored it. Rejects with ProtocolError. */
export async function changeAccount(
  { rpc, directory, device, homes }: AccountLogComponents,
  change: AccountChange,
  signal?: AbortSignal
): Promise<identity.AccountState> {
  const [home] = homes
  if (home === undefined) throw new ProtocolError('unreachable', 'an account without a home')
  let failure: unknown
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const state = await directory.refresh(device.account, [home], signal)
    if (change.isDone(state)) return state
    const request = { operation: change.sign(state), invite: '' }
    try {
      await rpc.request(
        home,
        identity.identityAppend,
        request,
        signal === undefined ? {} : { signal }
      )
    } catch (error) {
      failure = error
      if (!mayRepeat(error)) throw error
    }
  }
  const state = await directory.refresh(device.account, [home], signal)
  if (change.isDone(state)) return state
  throw failure ?? new ProtocolError('conflict', 'the account log changes all the time')
}

const mayRepeat = (error: unknown): boolean =>
  error instanceof ProtocolError && ['conflict', 'unreachable', 'timeout'].includes(error.code)
