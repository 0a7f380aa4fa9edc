// A relay: the shipped one over the ports of the simulation.
import { createMetrics, silentLog, type WrapStep } from '@kith/node/kernel'
import { idBytes, type MessageId, type RelayId, relayIdOf } from '@kith/protocols'
import { createRelay, DEFAULT_CONFIG, type Relay } from '@kith/relay'
import { randomOf } from './chance.ts'
import { openDisk, type SimDisk } from './disk.ts'
import { SimNode } from './node.ts'
import { symbolicPrimitives as primitives } from './primitives.ts'
import { NodeClock } from './scheduler.ts'
import type { World } from './world.ts'

export class SimRelay {
  readonly name: string
  readonly id: RelayId
  readonly disk: SimDisk
  readonly clock: NodeClock
  relay: Relay | undefined
  #node: SimNode | undefined
  #isStarting = false
  #runs = 0
  readonly #world: World
  readonly #seed: Uint8Array

  constructor(world: World, name: string) {
    this.#world = world
    this.name = name
    this.#seed = randomOf(world.dice(`${name} keys`)).bytes(32)
    this.id = relayIdOf(primitives.keyPair(this.#seed).publicKey)
    this.disk = world.createDisk(this.name)
    this.clock = new NodeClock(world.scheduler)
  }

  get isRunning(): boolean {
    return this.relay !== undefined || this.#isStarting
  }

  /** Whether it holds this message's envelope durably. */
  hasDurably(id: MessageId): boolean {
    return this.disk.hasKeyEndingIn(idBytes(id))
  }

  async start(): Promise<void> {
    if (this.isRunning) return
    this.#isStarting = true
    this.#runs += 1
    const { generation } = this.disk
    const { clock, disk } = this
    const { publicKey } = primitives.keyPair(this.#seed)
    try {
      const relay = await createRelay({
        store: openDisk(disk),
        network: async () => {
          const node = new SimNode(this.#world.network, {
            name: this.name,
            publicKey,
            address: this.#world.addressOf(this.name)
          })
          if (generation !== disk.generation) await node.stop()
          this.#node = node
          return node
        },
        privateKey: this.#seed,
        primitives,
        clock: {
          now: () => clock.now(),
          monotonic: () => clock.monotonic(),
          schedule: (delayMs, callback) =>
            clock.schedule(delayMs, () => {
              if (generation === disk.generation) callback()
            })
        },
        random: randomOf(this.#world.dice(`${this.name} run ${this.#runs}`)),
        log: silentLog,
        metrics: createMetrics(),
        config: { ...DEFAULT_CONFIG, registration: 'open' },
        invite: '',
        wrapStep: this.#watch(generation)
      })
      relay.failed.catch(() => undefined)
      if (generation === disk.generation) this.relay = relay
    } catch (error) {
      // Crashed while it started.
      if (generation === disk.generation) throw error
    } finally {
      if (generation === disk.generation) this.#isStarting = false
    }
  }

  /** As a power failure: nothing more leaves, and what was not synced is gone. */
  crash(): void {
    this.relay = undefined
    this.#isStarting = false
    this.#world.crashDisk(this.name, this.disk)
    void this.#node?.stop()
    this.#node = undefined
  }

  #watch(generation: number): WrapStep {
    return (step) => (state, nowMs, input) => {
      const stepped = step(state, nowMs, input)
      if (generation === this.disk.generation) {
        this.#world.traceStep(this.name, input as { type: string }, stepped.effects as never)
      }
      return stepped
    }
  }
}
