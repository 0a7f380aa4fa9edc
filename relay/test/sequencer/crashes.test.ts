// Random commits of many members, held syncs, crashes and restarts against what a sequencer promises: whatever
// happens, nobody ever sees two receipts of one epoch, and every receipt follows the one before.
import { MemoryDisk as Disk, type MemoryDisk, openMemoryStore, type Store } from '@kith/node/kernel'
import { nodePrimitives } from '@kith/node/kernel/host'
import { sequencer } from '@kith/protocols'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Directory } from '../../src/identity/directory.ts'
import { createAppend } from '../../src/sequencer/index.ts'
import { hex } from '../people.ts'

const MEMBERS = 4
const GROUPS = 2
const NOTHING = new Uint8Array(0)
const KEYS = nodePrimitives.keyPair(new Uint8Array(32).fill(1))

const bytes32 = (...values: number[]) => nodePrimitives.sha256(Uint8Array.from(values))
const deviceOf = (member: number) => bytes32(100, member)

type Action =
  | {
      readonly type: 'commit'
      readonly member: number
      readonly group: number
      /** Ahead of what the member has seen: 0 is the next epoch. */
      readonly ahead: number
      readonly isMember: boolean
    }
  | { readonly type: 'hold' | 'release' | 'settle' | 'crash' | 'restart' }

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      type: fc.constant('commit' as const),
      member: fc.integer({ min: 0, max: MEMBERS - 1 }),
      group: fc.integer({ min: 0, max: GROUPS - 1 }),
      ahead: fc.integer({ min: -2, max: 2 }),
      isMember: fc.boolean()
    })
  },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constantFrom('hold', 'release', 'settle', 'crash', 'restart')
    })
  }
)

/** By a member. */
function requestOf(
  group: Uint8Array,
  epoch: number,
  commit: Uint8Array
): sequencer.SequenceRequest {
  return {
    group,
    epoch,
    commit,
    sealed: bytes32(3, ...commit),
    proof: bytes32(4, epoch),
    next: sequencer.proofHash(bytes32(4, epoch + 1), nodePrimitives.sha256),
    previous: NOTHING
  }
}

class World {
  readonly #disk: MemoryDisk = new Disk()
  #store: Store
  #append: ReturnType<typeof createAppend>
  /** Every receipt that anybody was ever answered, by group and epoch. */
  readonly #seen = new Map<string, string>()
  /** The last epoch and receipt each member has seen of each group. */
  readonly #known = new Map<string, { readonly epoch: number; readonly hash: Uint8Array }>()
  readonly #failures: unknown[] = []
  #commits = 0

  constructor() {
    ;[this.#store, this.#append] = this.#open()
  }

  async apply(next: Action): Promise<void> {
    switch (next.type) {
      case 'commit':
        return this.#commit(next)
      case 'hold':
        return this.#disk.hold()
      case 'release':
        return this.#disk.release()
      case 'settle':
        return turns(40)
      case 'crash':
        this.#disk.crash()
        ;[this.#store, this.#append] = this.#open()
        return
      case 'restart':
        this.#disk.release()
        await this.#store.close()
        ;[this.#store, this.#append] = this.#open()
        return
    }
  }

  #open(): [Store, ReturnType<typeof createAppend>] {
    const store = openMemoryStore(this.#disk)
    const directory = new Directory()
    for (let member = 0; member < MEMBERS; member++) {
      const device = deviceOf(member)
      directory.set({ box: member + 1, account: bytes32(200, member), devices: [device] })
    }
    const commit: Store['commit'] = (writes) => store.commit(writes)
    const components = { store, directory, primitives: nodePrimitives, keys: KEYS, commit }
    return [store, createAppend(components)]
  }

  #commit({ member, group, ahead, isMember }: Action & { type: 'commit' }): void {
    const known = this.#known.get(`${member} ${group}`)
    this.#commits += 1
    const commit = bytes32(2, this.#commits >> 8, this.#commits & 255)
    const request = {
      ...requestOf(bytes32(1, group), Math.max(0, (known?.epoch ?? -1) + 1 + ahead), commit),
      ...(isMember ? {} : { proof: bytes32(9) })
    }
    this.#append(request, { publicKey: deviceOf(member) })
      .then(
        (answer) => this.#answered(request, `${member} ${group}`, answer),
        (error: { code?: string }) => {
          // What was asked of a store that crashed or closed is unanswered: it may have come to pass or not.
          expect(['conflict', 'forbidden', 'failed', 'closed']).toContain(error.code)
        }
      )
      .catch((error: unknown) => this.#failures.push(error))
  }

  #answered(
    request: sequencer.SequenceRequest,
    by: string,
    { receipt: signed, sealed }: sequencer.SequenceResponse
  ): void {
    if (signed === undefined) throw new Error('no receipt')
    const message = sequencer.receiptToSign(signed.receipt)
    expect(nodePrimitives.verify(KEYS.publicKey, message, signed.signature)).toBe(true)
    const receipt = sequencer.Receipt.decode(signed.receipt)
    // The change is there whenever its receipt is, and is the one that was signed for.
    expect(hex(sequencer.sealedChangeHash(sealed, nodePrimitives.sha256))).toBe(hex(receipt.sealed))
    expect([hex(receipt.group), receipt.epoch]).toEqual([hex(request.group), request.epoch])
    const name = `${hex(receipt.group)} ${receipt.epoch}`
    const text = hex(signed.receipt)
    expect(this.#seen.get(name) ?? text).toBe(text)
    this.#seen.set(name, text)
    const known = this.#known.get(by)
    if (known !== undefined && known.epoch >= receipt.epoch) return
    const hash = sequencer.receiptHash(signed.receipt, nodePrimitives.sha256)
    this.#known.set(by, { epoch: receipt.epoch, hash })
  }

  /** Every receipt seen is still the one of its epoch, and names the one before it. */
  async check(): Promise<void> {
    this.#disk.release()
    await turns(200)
    expect(this.#failures).toEqual([])
    this.#disk.crash()
    ;[this.#store, this.#append] = this.#open()
    for (const [name, text] of this.#seen) {
      const epoch = Number(name.split(' ')[1])
      const receipt = sequencer.Receipt.decode(Buffer.from(text, 'hex'))
      const request = requestOf(receipt.group, epoch, bytes32(255))
      const { receipt: again } = await this.#append(request, { publicKey: deviceOf(0) })
      expect(hex(again?.receipt)).toBe(text)
      await this.#checkParent(receipt)
    }
  }

  async #checkParent({ group, epoch, parent }: sequencer.Receipt): Promise<void> {
    for (let before = epoch - 1; before >= 0; before--) {
      const request = requestOf(group, before, bytes32(255))
      const asked = this.#append(request, { publicKey: deviceOf(0) })
      const answer = await asked.catch((error: { code: string }) => {
        expect(error.code).toBe('conflict')
        return undefined
      })
      const receipt = answer?.receipt?.receipt
      if (receipt === undefined) continue
      expect(hex(parent)).toBe(hex(sequencer.receiptHash(receipt, nodePrimitives.sha256)))
      return
    }
    expect(hex(parent)).toBe('')
  }
}

/** Lets everything that needs no timer happen. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve()
}

it('no epoch of a group ever has two receipts, and every receipt follows the one before', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 60 }), async (actions) => {
      const world = new World()
      for (const next of actions) await world.apply(next)
      await world.check()
    }),
    { numRuns: 150 }
  )
})
