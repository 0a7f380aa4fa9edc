// Sessions with the home relays: what each must have of this account first, where its log goes on, and what it says.
import { type AccountId, box, idBytes } from '@kith/protocols'
import type { NodeEvent } from './api.ts'
import type { BoxSettings } from './contacts/box-settings.ts'
import type { Contacts } from './contacts/contacts.ts'
import type { Directory } from './contacts/directory.ts'
import type { Delivery } from './delivery/delivery.ts'
import { type Home, RelayRoute, type RelayRouteComponents } from './delivery/relay-route.ts'
import type { LocalDevice } from './groups/group-crypto.ts'
import type { KeyPackageStore } from './groups/key-package-store.ts'
import { ensureRegistered, type Profile } from './identity/profile.ts'
import type { Primitives } from './kernel/primitives.ts'

export interface HomeSessionsComponents extends RelayRouteComponents {
  readonly delivery: Delivery
  readonly contacts: Contacts
  readonly directory: Directory
  readonly keyPackages: KeyPackageStore
  readonly boxSettings: BoxSettings
  readonly primitives: Primitives
}

export interface HomeSessionsInit {
  readonly device: LocalDevice
  readonly profile: Profile
  readonly emit: (event: NodeEvent) => void
  /** Finishes or undoes a link that was interrupted. */
  readonly settleLinks: (signal: AbortSignal) => Promise<void>
  /** Has every group compared with the account logs. */
  readonly reconcile: () => void
}

export class HomeSessions {
  readonly #components: HomeSessionsComponents
  readonly #init: HomeSessionsInit
  #isRemovalTold = false

  constructor(components: HomeSessionsComponents, init: HomeSessionsInit) {
    this.#components = components
    this.#init = init
  }

  /** The route to one home; started by whoever adds it. */
  routeTo(home: Home): RelayRoute {
    const { clock, delivery } = this.#components
    const dispatch = delivery.dispatch.bind(delivery)
    const relay = home.id
    return new RelayRoute(this.#components, {
      home,
      resume: () => this.#resumeFrom(home),
      targets: ({ target, sealed }) =>
        sealed === undefined ? [] : targetsOf(this.#components, target, idBytes(sealed.id)),
      prepare: (signal) => this.#prepare(home, signal),
      on: {
        online: () => {
          dispatch({ type: 'online', relay })
          this.#init.emit({ type: 'connection', relay, connected: true })
        },
        offline: () => {
          dispatch({ type: 'offline', relay })
          this.#init.emit({ type: 'connection', relay, connected: false })
        },
        item: (item) => dispatch({ type: 'item', relay, item }),
        accepted: (local, place) => dispatch({ type: 'accepted', local, relay, place }),
        refused: (local, reason, retryAfterMs) =>
          dispatch({ type: 'refused', local, relay, reason, retryAfterMs }),
        unknown: (local, retryAfterMs) =>
          clock.schedule(retryAfterMs, () => dispatch({ type: 'retry-append', local, relay }))
      }
    })
  }

  #resumeFrom({ id }: Home): { storeEpoch: Uint8Array; number: number } {
    const { intakes, cursors } = this.#components.delivery.state
    const cursor = intakes.get(id)?.cursor ?? cursors.get(id)
    return cursor ?? { storeEpoch: new Uint8Array(0), number: 0 }
  }

  /** What a home must have of this account before others can reach it. */
  async #prepare(home: Home, signal: AbortSignal): Promise<void> {
    const { rpc, directory, keyPackages, boxSettings } = this.#components
    const { profile: made } = this.#init
    const profile = { ...made, operations: directory.operations(made.account) }
    await ensureRegistered({ rpc, home, profile, signal })
    // A removed device is refused all that follows.
    if (await this.#isRemoved(home, signal)) return
    await boxSettings.tell(home, signal)
    await keyPackages.replenish(home, signal)
    await this.#init.settleLinks(signal)
    this.#init.reconcile()
  }

  /** Another device may have changed the account, and removed this one; then the user is told, once a run. */
  async #isRemoved(home: Home, signal: AbortSignal): Promise<boolean> {
    const { account, device } = this.#init.device
    const { devices } = await this.#components.directory.refresh(account, [home], signal)
    if (devices.some((entry) => entry.device === device)) return false
    if (!this.#isRemovalTold) {
      this.#init.emit({ type: 'notice', text: 'This device was removed from its account.' })
    }
    this.#isRemovalTold = true
    return true
  }
}

/** The box of an account, with the token that its contacts can make for this envelope (32 bytes, its id). */
export function targetsOf(
  { contacts, primitives }: { contacts: Contacts; primitives: Primitives },
  account: AccountId,
  envelopeId: Uint8Array
): box.Target[] {
  const secret = contacts.get(account)?.deliverySecret
  if (secret === undefined) return [{ account: idBytes(account), deliveryToken: new Uint8Array(0) }]
  const hmac = (key: Uint8Array, ...parts: Uint8Array[]) => primitives.hmac(key, ...parts)
  const deliveryToken = box.deliveryToken({ secret, account: idBytes(account), envelopeId }, hmac)
  return [{ account: idBytes(account), deliveryToken }]
}
