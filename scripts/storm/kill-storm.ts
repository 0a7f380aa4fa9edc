// Rounds of kill -9 between acceptance and delivery, on real processes. Each round: bob is down, alice sends a
// burst, the relay is killed as soon as it has acknowledged some of it, comes back, and bob catches up, now and
// then through a second kill; then bob answers and goes down, gently or not, and sometimes alice is killed too.
import { join } from 'node:path'
import { Stage } from '../network/kith.ts'
import type { LocalProcess, WaitOptions } from '../network/processes.ts'
import { createDice, type Dice } from './dice.ts'
import { Ledger } from './ledger.ts'

export interface StormOptions {
  readonly rounds: number
  readonly seed: number
  readonly say: (text: string) => void
  readonly signal: AbortSignal
}

/** What a storm did, and what was wrong afterwards: empty lists and no gap after a good one. */
export interface StormReport {
  readonly sent: number
  readonly kills: number
  /** Messages whose acceptance was seen right before a kill, while the recipient was down. */
  readonly acceptedBeforeKill: number
  readonly lost: readonly string[]
  readonly gaps: number
  readonly doubled: readonly string[]
  readonly undelivered: readonly string[]
  readonly isSameOrder: boolean
}

/** Catching up takes a reconnect with back-off after each restart; far beyond that something hangs. */
const CATCH_UP_MS = 60_000

const BURST_MAX = 5
const SENDER_KILLED_ONE_IN = 4
const TAIL_SHOWN = 15

/** Runs a storm in a scratch folder; throws when something does not come up or catch up in time. */
export async function runKillStorm(options: StormOptions): Promise<StormReport> {
  const stage = new Stage(options.signal)
  try {
    return await new KillStorm(stage, options).run()
  } catch (error) {
    for (const { name, tail } of stage.processes.all.slice(-4)) {
      if (tail.length === 0) continue
      options.say(`last lines of ${name}:\n  ${tail.slice(-TAIL_SHOWN).join('\n  ')}`)
    }
    throw error
  } finally {
    await stage.close()
  }
}

class KillStorm {
  readonly #stage: Stage
  readonly #options: StormOptions
  readonly #dice: Dice
  readonly #alice = new Ledger()
  readonly #bob = new Ledger()
  #relay: LocalProcess | undefined
  #kills = 0
  #acceptedBeforeKill = 0

  constructor(stage: Stage, options: StormOptions) {
    this.#stage = stage
    this.#options = options
    this.#dice = createDice(options.seed)
  }

  async run(): Promise<StormReport> {
    this.#relay = await this.#stage.introduce('alice', 'bob')
    let alice = await this.#open('alice', this.#alice)
    for (let round = 1; round <= this.#options.rounds; round++) {
      await this.#round(alice, round)
      if (this.#dice.oneIn(SENDER_KILLED_ONE_IN)) alice = await this.#killSender(alice, round)
    }
    const bob = await this.#open('bob', this.#bob)
    await this.#until(bob, 'bob has everything', () => holdsAll(this.#bob, this.#alice))
    await this.#until(alice, 'alice has everything', () => holdsAll(this.#alice, this.#bob))
    await this.#until(alice, 'alice knows', () => knowsAll(this.#alice))
    await this.#until(bob, 'bob knows', () => knowsAll(this.#bob))
    await bob.stop()
    await alice.stop()
    return this.#compare()
  }

  async #round(alice: LocalProcess, round: number): Promise<void> {
    const burst = this.#dice.roll(1, BURST_MAX)
    const texts = Array.from({ length: burst }, (_, part) => `${round}.${part + 1}`)
    for (const text of texts) this.#send(alice, this.#alice, text)
    const awaited = this.#dice.roll(1, burst)
    const accepted = () => texts.filter((text) => this.#alice.accepted.has(text)).length
    await this.#until(alice, `${awaited} accepted`, () => accepted() >= awaited)
    await this.#killRelay()
    this.#acceptedBeforeKill += accepted()
    if (this.#dice.oneIn(2)) this.#send(alice, this.#alice, `${round} while the relay is down`)
    this.#relay = await this.#stage.startRelay()

    const bob = await this.#open('bob', this.#bob)
    if (this.#dice.oneIn(3)) await this.#killAgain()
    await this.#until(bob, 'bob catches up', () => holdsAll(this.#bob, this.#alice))
    const answer = `${round} received`
    this.#send(bob, this.#bob, answer)
    await this.#until(bob, 'bob answers', () => this.#bob.queued.has(answer))
    if (this.#dice.oneIn(2)) {
      await this.#until(alice, 'alice catches up', () => holdsAll(this.#alice, this.#bob))
    }
    if (this.#dice.oneIn(2)) await bob.kill()
    else await bob.stop()
    this.#options.say(`round ${round}: ${burst} sent, ${awaited} accepted before the kill`)
  }

  async #open(name: string, ledger: Ledger): Promise<LocalProcess> {
    const peer = this.#stage.processes.start({
      name,
      args: [join(import.meta.dirname, 'peer.ts'), this.#stage.home(name)]
    })
    ledger.follow(peer)
    await peer.line((line) => line.includes('"ready"'), this.#wait())
    return peer
  }

  #send(from: LocalProcess, ledger: Ledger, text: string): void {
    ledger.sent.push(text)
    from.write(text)
  }

  async #killRelay(): Promise<void> {
    await this.#relay?.kill()
    this.#kills++
  }

  /** What alice's own disk holds is sent, whatever happens to her process. */
  async #killSender(alice: LocalProcess, round: number): Promise<LocalProcess> {
    const text = `${round} right before the sender is killed`
    this.#send(alice, this.#alice, text)
    await this.#until(alice, 'it is queued', () => this.#alice.queued.has(text))
    await alice.kill()
    return this.#open('alice', this.#alice)
  }

  /** A kill at some instant of bob's catching up. */
  async #killAgain(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, this.#dice.roll(0, 100)))
    await this.#killRelay()
    this.#relay = await this.#stage.startRelay()
  }

  /** Waits until what `peer` says makes the condition true. */
  async #until(peer: LocalProcess, what: string, condition: () => boolean): Promise<void> {
    const holds = () => {
      this.#alice.update()
      this.#bob.update()
      return condition()
    }
    if (holds()) return
    try {
      await peer.line(holds, this.#wait())
    } catch (error) {
      throw new Error(`waited until ${what}`, { cause: error })
    }
  }

  #wait(): WaitOptions {
    return { timeoutMs: CATCH_UP_MS, signal: this.#options.signal }
  }

  /** Both sides' own lists, read by the product's command after everything was stopped. */
  async #compare(): Promise<StormReport> {
    const { messages: atAlice, gaps: gapsOfAlice } = await this.#stage.messages('alice', 'bob')
    const { messages: atBob, gaps: gapsOfBob } = await this.#stage.messages('bob', 'alice')
    const ids = atAlice.map(({ id }) => id)
    const listedTwice = [atAlice, atBob].flatMap((messages) =>
      messages.map(({ text }) => text).filter((text, index, all) => all.indexOf(text) !== index)
    )
    return {
      sent: this.#alice.sent.length + this.#bob.sent.length,
      kills: this.#kills,
      acceptedBeforeKill: this.#acceptedBeforeKill,
      lost: [...missing(this.#bob, this.#alice), ...missing(this.#alice, this.#bob)],
      gaps: gapsOfAlice.length + gapsOfBob.length,
      doubled: [...listedTwice, ...this.#alice.shownTwice, ...this.#bob.shownTwice],
      undelivered: [...atAlice, ...atBob]
        .filter((message) => message.outgoing && message.state !== 'delivered')
        .map(({ text }) => text),
      isSameOrder: ids.length > 0 && ids.join() === atBob.map(({ id }) => id).join()
    }
  }
}

const missing = (receiver: Ledger, sender: Ledger) =>
  sender.sent.filter((text) => !receiver.held.has(text))
const holdsAll = (receiver: Ledger, sender: Ledger) => missing(receiver, sender).length === 0
const knowsAll = (sender: Ledger) => sender.sent.every((text) => sender.delivered.has(text))
