// The old device at work: makes codes, compares, adds the new device to the account's log and hands it the bundle.
// One link at a time; a new code ends the one before.
import { type DeviceId, ProtocolError } from '@kith/protocols'
import { UserError } from '../api.ts'
import type { Directory } from '../contacts/directory.ts'
import type { Profile } from '../identity/profile.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Log } from '../kernel/log.ts'
import type { Primitives } from '../kernel/primitives.ts'
import type { Random } from '../kernel/random.ts'
import type { PeerAddress, Rpc } from '../kernel/rpc.ts'
import { formatLinkCode } from './code.ts'
import { type Devices, homeError } from './devices.ts'
import { linkError } from './failures.ts'
import {
  beginOld,
  createOldStep,
  LINK_MS,
  type OldEffect,
  type OldInput,
  type OldState
} from './old-device.ts'
import { type LinkExchange, LinkRun, relayExchange } from './run.ts'
import { drawSeeds } from './seeds.ts'
import { type LinkFailure, rendezvousOf } from './talk.ts'
import type { LinkView } from './views.ts'

export interface LinkHostComponents {
  readonly rpc: Rpc
  readonly primitives: Primitives
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly directory: Directory
  readonly devices: Devices
}

export interface LinkHostInit {
  readonly profile: Profile
  /** The new device's bundle, packed. The log names the device by now. */
  readonly bundle: () => Promise<Uint8Array>
  /** The account's devices have changed: groups have to follow. Resolves when they have, or cannot now. */
  readonly reconcile: (signal: AbortSignal) => Promise<void>
  readonly onLink: (link: LinkView) => void
  readonly notice: (text: string) => void
  /** Where the two devices meet; by default at the home. */
  readonly exchange?: (home: PeerAddress, rendezvous: Uint8Array) => LinkExchange
}

type Run = LinkRun<OldState, OldInput, OldEffect>

export class LinkHost {
  readonly #components: LinkHostComponents
  readonly #init: LinkHostInit
  readonly #stopping = new AbortController()
  #run: Run | undefined
  /** Of the add of the link that runs. */
  #failure: unknown
  #ending: Promise<void> = Promise.resolve()

  constructor(components: LinkHostComponents, init: LinkHostInit) {
    this.#components = components
    this.#init = init
  }

  /** Makes a code and waits behind it. Throws UserError `unreachable-relay` and what else a home may refuse. */
  async start(): Promise<LinkView> {
    this.cancel()
    await this.#ending
    const { clock, primitives, random, rpc } = this.#components
    const { account, name, homes } = this.#init.profile
    const [home] = homes
    if (home === undefined) throw new UserError('no-home', 'The account has no relay.')
    const seeds = drawSeeds(random)
    const rendezvous = rendezvousOf(seeds.secret, primitives)
    const place = { id: home.relay, addresses: home.addresses }
    const exchange =
      this.#init.exchange?.(place, rendezvous) ?? relayExchange(rpc, place, rendezvous)
    this.#failure = undefined
    const run: Run = new LinkRun<OldState, OldInput, OldEffect>({
      exchange,
      clock,
      begun: beginOld({ seeds, account, name }, clock.monotonic(), primitives),
      step: createOldStep(primitives),
      perform: (effect) => this.#perform(effect)
    })
    this.#run = run
    const failed = await Promise.race([run.said.then(() => undefined), run.ended])
    if (failed !== undefined) throw linkError(failed)
    this.#ending = run.ended.then((failure) => this.#ended(run, failure))
    const code = formatLinkCode({ secret: seeds.secret, relay: home }, primitives)
    return { state: 'waiting', code, expiresAtMs: clock.now() + LINK_MS }
  }

  /** The user compared the emoji. Throws UserError `no-link` when nothing is to be compared. */
  answer(isSame: boolean): void {
    const run = this.#run
    if (run === undefined || run.state.phase !== 'comparing' || run.state.isOver) {
      throw new UserError('no-link', 'No device is being linked.', { hint: 'kith device add' })
    }
    run.dispatch({ type: 'answer', isSame })
  }

  cancel(): void {
    // What is being written to the log is settled when it is known how it went.
    this.#run?.dispatch({ type: 'failed', reason: 'cancelled' })
  }

  /** At the beginning of a session with the home: ends what an earlier run left half-way. */
  async settle(signal: AbortSignal): Promise<void> {
    if (this.#run !== undefined) return
    const settled = await this.#components.devices.settle(signal)
    if (settled === undefined) return
    const { device, stays } = settled
    this.#init.notice(
      stays
        ? `The link of ${device.name} was finished.`
        : `The link of ${device.name} was cut off; the device was taken out of your account again.`
    )
    void this.#init.reconcile(this.#stopping.signal)
  }

  async stop(): Promise<void> {
    this.cancel()
    this.#stopping.abort(new ProtocolError('unavailable', 'stopping'))
    await this.#ending
  }

  #perform(effect: OldEffect): void {
    if (effect.type === 'compare') {
      const { device, emoji, name } = effect
      this.#init.onLink({ state: 'comparing', device, name, emoji })
    }
    if (effect.type === 'add') void this.#add(effect)
  }

  async #add(effect: Extract<OldEffect, { type: 'add' }>): Promise<void> {
    const run = this.#run
    const { device, name, consent } = effect
    this.#init.onLink({ state: 'adding', device, name })
    try {
      await this.#components.devices.add({ device, name }, consent, this.#stopping.signal)
      run?.dispatch({ type: 'added', bundle: await this.#init.bundle() })
    } catch (error) {
      this.#failure = error instanceof ProtocolError ? homeError(error) : error
      this.#components.log.warn('link-not-added', { reason: String(error) })
      run?.dispatch({ type: 'failed', reason: 'failed' })
    }
    // The link may have ended meanwhile; then nobody takes the bundle.
    if (run?.state.isOver === true) await this.#undo()
  }

  async #ended(run: Run, failure: LinkFailure | undefined): Promise<void> {
    const { device, deviceName: name, phase } = run.state
    if (this.#run === run) this.#run = undefined
    if (failure === undefined && device !== undefined) return await this.#linked(device, name)
    const error = linkError(failure ?? 'failed', this.#failure)
    const { code, message, hint } = error
    this.#init.onLink({ state: 'failed', code, message, hint })
    if (phase === 'sending') await this.#undo()
  }

  async #linked(device: DeviceId, name: string): Promise<void> {
    await this.#components.devices.finish()
    await this.#init.reconcile(this.#stopping.signal)
    this.#init.onLink({ state: 'linked', device, name })
  }

  /** What cannot be settled now is settled when the home is back, or by `kith device remove`. */
  async #undo(): Promise<void> {
    this.#run = undefined
    try {
      await this.settle(this.#stopping.signal)
    } catch (error) {
      this.#components.log.warn('link-not-settled', { reason: String(error) })
    }
  }
}
