// Rounds of dying at named points of the way to disk, on real processes. In each round a relay and two nodes
// talk, and one of the three runs with a failpoint: it ends itself as kill -9 would, at exactly that point, is
// started again, and the round ends when both sides hold everything.
import { join } from 'node:path'
import {
  type FailpointName,
  NODE_FAILPOINTS,
  RELAY_FAILPOINTS,
  STORE_FAILPOINTS
} from '@kith/node/kernel'
import { Stage } from '../network/kith.ts'
import type { LocalProcess } from '../network/processes.ts'
import { createDice, type Dice } from './dice.ts'
import { Ledger } from './ledger.ts'

export type Role = 'relay' | 'alice' | 'bob'

/** Who dies, and where. */
export interface Death {
  readonly role: Role
  readonly point: FailpointName
}

/** Every point at everybody who passes it. */
export const DEATHS: readonly Death[] = [
  ...[...STORE_FAILPOINTS, ...RELAY_FAILPOINTS].map((point) => ({ role: 'relay' as const, point })),
  ...(['alice', 'bob'] as const).flatMap((role) =>
    [...STORE_FAILPOINTS, ...NODE_FAILPOINTS].map((point) => ({ role, point }))
  )
]

export interface PointsOptions {
  readonly rounds: number
  readonly seed: number
  /** Taken in turn, each pass shuffled by the seed. */
  readonly deaths: readonly Death[]
  readonly say: (text: string) => void
  readonly signal: AbortSignal
}

export interface PointsReport {
  readonly rounds: number
  /** Deaths by `role point`; one for each round unless a point was not passed in time. */
  readonly deaths: ReadonlyMap<string, number>
  readonly sent: number
  readonly lost: readonly string[]
  readonly gaps: number
  readonly doubled: readonly string[]
  readonly undelivered: readonly string[]
  readonly isSameOrder: boolean
}

/** Reconnecting with back-off after a restart, twice, on a busy machine; far beyond that something hangs. */
const CATCH_UP_MS = 60_000
/** How long a victim may take to pass its point before one more message is sent. */
const NUDGE_MS = 700
/** Messages sent to make a victim pass its point; each passes every point at somebody at least once. */
const NUDGES_MAX = 25
const BURST_MAX = 2
const COUNT_MAX = 4
/** One in so many rounds the other person sleeps until the victim has died: then only the box has it. */
const ASLEEP_ONE_IN = 3
const POLL_MS = 20
const TAIL_SHOWN = 15
const PEOPLE = ['alice', 'bob'] as const

type Person = (typeof PEOPLE)[number]

/** Runs the rounds in a scratch folder; throws when somebody does not come up, die or catch up in time. */
export async function runPoints(options: PointsOptions): Promise<PointsReport> {
  const stage = new Stage(options.signal)
  try {
    return await new Points(stage, options).run()
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

class Points {
  readonly #stage: Stage
  readonly #options: PointsOptions
  readonly #dice: Dice
  readonly #ledgers = { alice: new Ledger(), bob: new Ledger() }
  readonly #running = new Map<Role, LocalProcess>()
  readonly #deaths = new Map<string, number>()

  constructor(stage: Stage, options: PointsOptions) {
    this.#stage = stage
    this.#options = options
    this.#dice = createDice(options.seed)
  }

  async run(): Promise<PointsReport> {
    this.#running.set('relay', await this.#stage.introduce('alice', 'bob'))
    for (const person of PEOPLE) await this.#ready(person, this.#launch(person))
    let deaths: Death[] = []
    for (let round = 1; round <= this.#options.rounds; round++) {
      if (deaths.length === 0) deaths = this.#shuffled(this.#options.deaths)
      await this.#round(round, deaths.pop() as Death)
    }
    for (const person of PEOPLE) await this.#running.get(person)?.stop()
    return this.#compare()
  }

  async #round(round: number, { role, point }: Death): Promise<void> {
    const count = this.#dice.roll(1, COUNT_MAX)
    const other = role === 'alice' ? 'bob' : 'alice'
    const isAsleep = this.#dice.oneIn(ASLEEP_ONE_IN)
    await this.#running.get(role)?.stop()
    if (isAsleep) await this.#running.get(other)?.stop()
    const victim = this.#launch(role, { KITH_FAILPOINT: `${point}:${count}` })
    for (const person of PEOPLE) this.#sendBurst(person, String(round))
    const nudges = await this.#untilDead(victim, { role, other, label: String(round), isAsleep })
    const key = `${role} ${point}`
    this.#deaths.set(key, (this.#deaths.get(key) ?? 0) + 1)
    await this.#ready(role, this.#launch(role))
    if (this.#running.get(other)?.hasEnded) await this.#ready(other, this.#launch(other))
    await this.#settled()
    this.#options.say(
      `round ${round}: ${role} at ${point}:${count}${isAsleep ? `, ${other} asleep` : ''}, ${nudges} nudges`
    )
  }

  /** Sends one more message whenever the victim lives on for a while. Resolves to how many that took. */
  async #untilDead(
    victim: LocalProcess,
    round: { role: Role; other: Person; label: string; isAsleep: boolean }
  ): Promise<number> {
    for (let nudge = 0; nudge <= NUDGES_MAX; nudge++) {
      const deadline = performance.now() + NUDGE_MS
      while (performance.now() < deadline) {
        if (victim.hasEnded) {
          const end = await victim.ended
          if (end !== 'SIGKILL') throw new Error(`${victim.name} ended with ${end}`)
          return nudge
        }
        await this.#pause()
      }
      // A point of receiving is not passed while the only sender sleeps.
      if (nudge === 3 && this.#running.get(round.other)?.hasEnded) {
        await this.#ready(round.other, this.#launch(round.other))
      }
      for (const person of PEOPLE) {
        const process = this.#running.get(person)
        if (process?.hasEnded === false)
          this.#send(person, `${round.label} nudge ${nudge} of ${person}`)
      }
    }
    throw new Error(`${victim.name} never passed its point`)
  }

  /** Starts somebody and does not wait. */
  #launch(role: Role, env: Readonly<Record<string, string>> = {}): LocalProcess {
    const args = [join(import.meta.dirname, 'peer.ts'), this.#stage.home(role)]
    const started =
      role === 'relay'
        ? this.#stage.launchRelay(env)
        : this.#stage.processes.start({ name: role, args, env })
    this.#running.set(role, started)
    if (role !== 'relay') this.#ledgers[role].follow(started)
    return started
  }

  /** Waits until it is up; what a dead process never took is typed again, as its person would. */
  async #ready(role: Role, started: LocalProcess): Promise<void> {
    const { signal } = this.#options
    await started.line((line) => line.includes('"ready"'), { timeoutMs: CATCH_UP_MS, signal })
    if (role === 'relay') return
    const ledger = this.#ledgers[role]
    ledger.update()
    for (const text of ledger.sent) if (!ledger.isKept(text)) started.write(text)
  }

  #sendBurst(person: Person, label: string): void {
    const burst = this.#dice.roll(1, BURST_MAX)
    for (let part = 1; part <= burst; part++) this.#send(person, `${label}.${part} of ${person}`)
  }

  /** Typed now, or when the person's process is up again. */
  #send(person: Person, text: string): void {
    this.#ledgers[person].sent.push(text)
    const process = this.#running.get(person)
    if (process?.hasEnded === false) process.write(text)
  }

  /** Both hold everything and know that the other does. */
  async #settled(): Promise<void> {
    const deadline = performance.now() + CATCH_UP_MS
    const { alice, bob } = this.#ledgers
    while (true) {
      alice.update()
      bob.update()
      const open = [
        ...missing(alice, bob),
        ...missing(bob, alice),
        ...unknown(alice),
        ...unknown(bob)
      ]
      if (open.length === 0) return
      if (performance.now() > deadline) throw new Error(`not settled: ${open.join(', ')}`)
      await this.#pause()
    }
  }

  #pause(): Promise<void> {
    this.#options.signal.throwIfAborted()
    return new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }

  #shuffled(deaths: readonly Death[]): Death[] {
    const left = [...deaths]
    return deaths.flatMap(() => left.splice(this.#dice.roll(0, left.length - 1), 1))
  }

  /** Both sides' own lists, read by the product's command after everybody but the relay was stopped. */
  async #compare(): Promise<PointsReport> {
    const { alice, bob } = this.#ledgers
    const { messages: atAlice, gaps: gapsOfAlice } = await this.#stage.messages('alice', 'bob')
    const { messages: atBob, gaps: gapsOfBob } = await this.#stage.messages('bob', 'alice')
    const ids = atAlice.map(({ id }) => id)
    const listedTwice = [atAlice, atBob].flatMap((messages) =>
      messages.map(({ text }) => text).filter((text, index, all) => all.indexOf(text) !== index)
    )
    const texts = new Set(atAlice.map(({ text }) => text))
    return {
      rounds: this.#options.rounds,
      deaths: this.#deaths,
      sent: alice.sent.length + bob.sent.length,
      lost: [
        ...missing(alice, bob),
        ...missing(bob, alice),
        ...[...alice.sent, ...bob.sent].filter((text) => !texts.has(text))
      ],
      gaps: gapsOfAlice.length + gapsOfBob.length,
      doubled: [...listedTwice, ...alice.shownTwice, ...bob.shownTwice],
      undelivered: [...atAlice, ...atBob]
        .filter((message) => message.outgoing && message.state !== 'delivered')
        .map(({ text }) => text),
      isSameOrder: ids.length > 0 && ids.join() === atBob.map(({ id }) => id).join()
    }
  }
}

const missing = (receiver: Ledger, sender: Ledger) =>
  sender.sent.filter((text) => !receiver.held.has(text))
const unknown = (sender: Ledger) => sender.sent.filter((text) => !sender.delivered.has(text))
