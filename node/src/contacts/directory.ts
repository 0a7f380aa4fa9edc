// The account logs this device has verified: whose devices are whose. Fetched from relays, folded here, never
// taken shorter than once seen.
import { type AccountId, idBytes, identity, ProtocolError, publicKeyOf } from '@kith/protocols'
import type { Member } from '../groups/group-crypto.ts'
import type { Primitives } from '../kernel/primitives.ts'
import { decodeRecord, encodeRecord } from '../kernel/record.ts'
import type { PeerAddress, Rpc } from '../kernel/rpc.ts'
import type { SealedStore } from '../kernel/store/sealed.ts'

const PREFIX = 'contacts/log'

export interface DirectoryComponents {
  readonly store: SealedStore
  readonly rpc: Rpc
  readonly primitives: Primitives
}

interface KnownLog {
  readonly operations: readonly identity.SignedOperation[]
  readonly state: identity.AccountState
}

/** `before` is undefined when the log was learnt for the first time. 32 bytes each. */
type OnChange = (
  account: AccountId,
  keys: { before: Uint8Array | undefined; recoveryKey: Uint8Array }
) => void

export class Directory {
  readonly #components: DirectoryComponents
  readonly #known = new Map<AccountId, KnownLog>()

  #tell: OnChange = () => {}

  constructor(components: DirectoryComponents) {
    this.#components = components
  }

  /** Calls back when a log has grown, before that is on disk. */
  onChange(listener: OnChange): void {
    this.#tell = listener
  }

  /** What is known of an account without asking anybody. */
  state(account: AccountId): identity.AccountState | undefined {
    return this.#known.get(account)?.state
  }

  /** The whole log as it is known here. */
  operations(account: AccountId): readonly identity.SignedOperation[] {
    return this.#known.get(account)?.operations ?? []
  }

  /** Whether the logs known here name the device as one of the account's. */
  readonly certified = ({ account, device }: Member): boolean => {
    const state = this.state(account)
    return state !== undefined && identity.hasDevice(state, publicKeyOf(device))
  }

  /** Reads a log from this device's store; undefined when it was never fetched. */
  async load(account: AccountId): Promise<identity.AccountState | undefined> {
    if (this.#known.has(account)) return this.state(account)
    const record = await this.#components.store.get(this.#key(account))
    // Whoever asked at the same time may have been faster.
    if (record === undefined || this.#known.has(account)) return this.state(account)
    return this.#fold(account, decodeRecord<identity.SignedOperation[]>(record)).state
  }

  /** Takes operations that this device made itself, and stores them. */
  async learn(account: AccountId, operations: readonly identity.SignedOperation[]): Promise<void> {
    const before = this.#known.get(account)
    const { operations: all } = this.#fold(account, operations)
    if (all.length === before?.operations.length) return
    await this.#components.store.commit([
      { type: 'put', key: this.#key(account), value: encodeRecord(all) }
    ])
  }

  /**
   * Fetches what is new of an account's log from the first relay that answers. Rejects with `not-found` when a
   * relay answers that it does not know the account, `unreachable` when none answers, and with the fold's error
   * when what it serves does not verify or does not follow what is known.
   */
  async refresh(
    account: AccountId,
    relays: readonly PeerAddress[],
    signal?: AbortSignal
  ): Promise<identity.AccountState> {
    await this.load(account)
    let failure: unknown = new ProtocolError('unreachable', 'no relay to ask for an account log')
    for (const relay of relays) {
      try {
        return await this.#fetch(account, relay, signal)
      } catch (error) {
        failure = error
      }
    }
    throw failure
  }

  /**
   * Asks one after the other until what is known is enough: one home may not have heard yet what another has. Rejects with
   * the failure of a home that could not be asked, when it was not: it may be the one that knows.
   */
  async refreshUntil(
    account: AccountId,
    relays: readonly PeerAddress[],
    isEnough: () => boolean
  ): Promise<void> {
    await this.load(account)
    let failure: unknown
    let hasAnswered = false
    for (const relay of relays) {
      try {
        await this.#fetch(account, relay)
        hasAnswered = true
        if (isEnough()) return
      } catch (error) {
        const homes = this.state(account)?.homes ?? []
        const isHome = homes.some((home) => home.relay === relay.id)
        if (isHome || !hasAnswered) failure ??= error
      }
    }
    if (failure !== undefined) throw failure
  }

  async #fetch(
    account: AccountId,
    relay: PeerAddress,
    signal?: AbortSignal
  ): Promise<identity.AccountState> {
    for (;;) {
      const from = this.#known.get(account)?.operations.length ?? 0
      const { operations, length } = await this.#components.rpc.request(
        relay,
        identity.identityFetch,
        { account: idBytes(account), from },
        signal === undefined ? {} : { signal }
      )
      // Another refresh may have been answered meanwhile: what it brought would not follow itself.
      const learnt = (this.#known.get(account)?.operations.length ?? 0) - from
      if (operations.length > learnt) await this.learn(account, operations.slice(learnt))
      const known = this.#known.get(account)
      if (known === undefined) throw new ProtocolError('not-found', 'account-log')
      // A relay that holds less than is known serves a stale copy: what is known stands.
      if (operations.length === 0 || known.operations.length >= length) return known.state
    }
  }

  #fold(account: AccountId, operations: readonly identity.SignedOperation[]): KnownLog {
    const before = this.#known.get(account)
    const state = identity.foldAccountLog(operations, this.#components.primitives, before?.state)
    if (state.account !== account) {
      throw new ProtocolError('forbidden', 'the log is of another account')
    }
    const known = { operations: [...(before?.operations ?? []), ...operations], state }
    this.#known.set(account, known)
    const { recoveryKey } = state
    this.#tell(account, { before: before?.state.recoveryKey, recoveryKey })
    return known
  }

  #key(account: AccountId): Uint8Array {
    return this.#components.store.opaqueKey(PREFIX, idBytes(account))
  }
}
