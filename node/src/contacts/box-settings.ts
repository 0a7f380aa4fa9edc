// What the home relays are told about this account's box: the secret that contacts prove themselves with, and whom
// to refuse. Told at the start of every session, and at once when the user blocks somebody.
import { box, idBytes, SECOND_MS } from '@kith/protocols'
import type { Clock } from '../kernel/clock.ts'
import type { PeerAddress, Rpc } from '../kernel/rpc.ts'
import type { Contacts } from './contacts.ts'

/** A person waits for it; a home that does not answer in this time is told when it is back. */
const TELL_MAX_MS = 4 * SECOND_MS

export interface BoxSettingsComponents {
  readonly rpc: Rpc
  readonly clock: Clock
  readonly contacts: Contacts
  readonly homes: readonly PeerAddress[]
  /** 32 bytes */
  readonly deliverySecret: Uint8Array
}

export class BoxSettings {
  readonly #components: BoxSettingsComponents
  /** By home: one request after the other, so that an older list never replaces a newer one. */
  readonly #telling = new Map<string, Promise<unknown>>()

  constructor(components: BoxSettingsComponents) {
    this.#components = components
  }

  /** Tells one home what holds at that moment. Rejects with ProtocolError. */
  tell(home: PeerAddress, signal: AbortSignal): Promise<void> {
    const { rpc, contacts, deliverySecret } = this.#components
    const told = (this.#telling.get(home.id) ?? Promise.resolve()).then(async () => {
      signal.throwIfAborted()
      const blocked = contacts.list('blocked').map(({ account }) => idBytes(account))
      await rpc.request(home, box.boxConfigure, { deliverySecret, blocked }, { signal })
    })
    this.#telling.set(
      home.id,
      told.catch(() => {
        // Its caller is told; the next request stands on its own.
      })
    )
    return told
  }

  /** Tells every home now. Resolves to how many have it; the others are told with their next session. */
  async tellAll(): Promise<number> {
    const { clock, homes } = this.#components
    const late = new AbortController()
    const cancel = clock.schedule(TELL_MAX_MS, () => late.abort())
    const told = await Promise.allSettled(homes.map((home) => this.tell(home, late.signal)))
    cancel()
    return told.filter(({ status }) => status === 'fulfilled').length
  }
}
