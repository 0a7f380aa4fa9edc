// Two people with two devices each and one relay, on real processes: everybody writes from everywhere while the
// relay is killed again and again, now and then a device too, and in the end all four list the same history.
import { join } from 'node:path'
import type { EmojiView, LinkView, MessageView } from '@kith/node'
import { Stage } from '../network/kith.ts'
import type { LocalProcess } from '../network/processes.ts'
import { createDice, type Dice } from './dice.ts'
import { Ledger } from './ledger.ts'

export interface DevicesOptions {
  readonly rounds: number
  readonly seed: number
  /** Whether the chat is there before the second devices are, or begins in the storm, at several devices at once. */
  readonly begins?: 'before the links' | 'in the storm'
  readonly say: (text: string) => void
  readonly signal: AbortSignal
}

export interface DevicesReport {
  readonly sent: number
  readonly relayKills: number
  readonly deviceKills: number
  /** `device: text` of what a device does not list. */
  readonly lost: readonly string[]
  /** `device: text` of what a device lists or shows twice. */
  readonly doubled: readonly string[]
  readonly gaps: number
  readonly isSameOrder: boolean
}

const DEVICES = ['alice', 'phone', 'bob', 'laptop'] as const
type Device = (typeof DEVICES)[number]
/** The contact as each device's owner calls it. */
const PEER: Readonly<Record<Device, string>> = {
  alice: 'bob',
  phone: 'bob',
  bob: 'alice',
  laptop: 'alice'
}

/** Reconnecting with back-off after a restart on a busy machine; far beyond that something hangs. */
const CATCH_UP_MS = 60_000
const BURST_MAX = 4
const DEVICE_KILLED_ONE_IN = 3
/** Of the relay: at some instant of what a burst sets off, and long enough that others notice or not. */
const UP_MS_MAX = 300
const DOWN_MS_MAX = 400
const POLL_MS = 20
const TAIL_SHOWN = 15

/** Runs the storm in a scratch folder; throws when somebody does not come up or catch up in time. */
export async function runDevices(options: DevicesOptions): Promise<DevicesReport> {
  const stage = new Stage(options.signal)
  try {
    return await new Devices(stage, options).run()
  } catch (error) {
    for (const { name, tail } of stage.processes.all.slice(-6)) {
      if (tail.length === 0) continue
      options.say(`last lines of ${name}:\n  ${tail.slice(-TAIL_SHOWN).join('\n  ')}`)
    }
    throw error
  } finally {
    await stage.close()
  }
}

class Devices {
  readonly #stage: Stage
  readonly #options: DevicesOptions
  readonly #dice: Dice
  readonly #ledgers = new Map<Device, Ledger>(DEVICES.map((device) => [device, new Ledger()]))
  readonly #running = new Map<Device, LocalProcess>()
  #relay: LocalProcess | undefined
  #relayKills = 0
  #deviceKills = 0

  constructor(stage: Stage, options: DevicesOptions) {
    this.#stage = stage
    this.#options = options
    this.#dice = createDice(options.seed)
  }

  async run(): Promise<DevicesReport> {
    this.#relay = await this.#stage.introduce('alice', 'bob')
    if (this.#options.begins !== 'in the storm') {
      await this.#stage.kith('alice', 'message', 'send', 'bob', 'before the links')
      this.#ledger('alice').sent.push('before the links')
    }
    await this.#link('alice', 'phone')
    await this.#link('bob', 'laptop')
    for (const device of DEVICES) await this.#open(device)
    for (let round = 1; round <= this.#options.rounds; round++) await this.#round(round)
    await this.#settled()
    for (const device of DEVICES) await this.#process(device).stop()
    return this.#compare()
  }

  async #round(round: number): Promise<void> {
    const burst = this.#dice.roll(1, BURST_MAX)
    for (let part = 1; part <= burst; part++) {
      const device = this.#anyDevice()
      const text = `${round}.${part} of ${device}`
      this.#ledger(device).sent.push(text)
      this.#process(device).write(text)
    }
    await this.#pause(this.#dice.roll(0, UP_MS_MAX))
    await this.#relay?.kill()
    this.#relayKills++
    const victim = this.#dice.oneIn(DEVICE_KILLED_ONE_IN) ? this.#anyDevice() : undefined
    if (victim !== undefined) {
      await this.#process(victim).kill()
      this.#deviceKills++
    }
    await this.#pause(this.#dice.roll(0, DOWN_MS_MAX))
    this.#relay = await this.#stage.startRelay()
    if (victim !== undefined) await this.#open(victim)
    this.#options.say(
      `round ${round}: ${burst} sent${victim === undefined ? '' : `, ${victim} killed`}`
    )
  }

  /** As two people would: a code from one screen to the other, six emoji the same on both. */
  async #link(owner: Device, fresh: Device): Promise<void> {
    const wait = { timeoutMs: CATCH_UP_MS, signal: this.#options.signal }
    const told = async (from: LocalProcess, fits: (value: Told) => boolean): Promise<Told> =>
      JSON.parse(await from.line((line) => fits(JSON.parse(line)), wait))
    const old = this.#stage.startKith(owner, { args: ['device', 'add', '--json'] })
    const waiting = await told(old, ({ link }) => link?.state === 'waiting')
    const code = waiting.link?.state === 'waiting' ? waiting.link.code : ''
    const args = ['device', 'link', code, '--name', fresh, '--json']
    const joining = this.#stage.startKith(fresh, { args })
    const shown = await told(joining, ({ type }) => type === 'compare')
    const compared = await told(old, ({ link }) => link?.state === 'comparing')
    const emoji = compared.link?.state === 'comparing' ? compared.link.emoji : []
    if (JSON.stringify(emoji) !== JSON.stringify(shown.emoji)) throw new Error('emoji differ')
    old.write('yes')
    joining.write('yes')
    await Promise.all([joining.success(wait), old.success(wait)])
  }

  /** Starts a device; what a killed process never took is typed again, as its person would. */
  async #open(device: Device): Promise<void> {
    const started = this.#stage.processes.start({
      name: device,
      args: [join(import.meta.dirname, 'peer.ts'), this.#stage.home(device)]
    })
    this.#running.set(device, started)
    const ledger = this.#ledger(device)
    ledger.follow(started)
    const { signal } = this.#options
    await started.line((line) => line.includes('"ready"'), { timeoutMs: CATCH_UP_MS, signal })
    ledger.update()
    for (const text of ledger.sent) if (!ledger.isKept(text)) started.write(text)
  }

  /** Waits until every device has everything of all. */
  async #settled(): Promise<void> {
    const deadline = performance.now() + CATCH_UP_MS
    while (true) {
      const sent = this.#sent()
      const open = DEVICES.flatMap((device) => {
        const ledger = this.#ledger(device)
        ledger.update()
        return sent
          .filter((text) => !ledger.held.has(text) && !ledger.isKept(text))
          .map((text) => `${device}: ${text}`)
      })
      if (open.length === 0) return
      if (performance.now() > deadline) throw new Error(`not settled:\n${open.join('\n')}`)
      await this.#pause(POLL_MS)
    }
  }

  /** Each device's own list, read by the product's command after all nodes were stopped. */
  async #compare(): Promise<DevicesReport> {
    const sent = this.#sent()
    const lost: string[] = []
    const doubled: string[] = []
    const orders = new Set<string>()
    let gaps = 0
    for (const device of DEVICES) {
      const listing = await this.#stage.messages(device, PEER[device])
      // Notices of changed devices stand between the messages of who saw them.
      const messages = listing.messages.filter(
        (line: Partial<MessageView>) => line.id !== undefined
      )
      const texts = messages.map(({ text }) => text)
      const twice = texts.filter((text, index) => texts.indexOf(text) !== index)
      gaps += listing.gaps.length
      lost.push(...sent.filter((text) => !texts.includes(text)).map((text) => `${device}: ${text}`))
      doubled.push(
        ...[...twice, ...this.#ledger(device).shownTwice].map((text) => `${device}: ${text}`)
      )
      orders.add(messages.map(({ id }) => id).join())
    }
    return {
      sent: sent.length,
      relayKills: this.#relayKills,
      deviceKills: this.#deviceKills,
      lost,
      doubled,
      gaps,
      isSameOrder: orders.size === 1 && !orders.has('')
    }
  }

  #sent(): readonly string[] {
    return DEVICES.flatMap((device) => this.#ledger(device).sent)
  }

  #anyDevice(): Device {
    return DEVICES[this.#dice.roll(0, DEVICES.length - 1)] as Device
  }

  #ledger(device: Device): Ledger {
    return this.#ledgers.get(device) as Ledger
  }

  #process(device: Device): LocalProcess {
    return this.#running.get(device) as LocalProcess
  }

  #pause(delayMs: number): Promise<void> {
    this.#options.signal.throwIfAborted()
    return new Promise((resolve) => setTimeout(resolve, delayMs))
  }
}

/** A line of `kith device add` or `kith device link`. */
interface Told {
  readonly type: string
  readonly link?: LinkView
  readonly emoji?: readonly EmojiView[]
}
