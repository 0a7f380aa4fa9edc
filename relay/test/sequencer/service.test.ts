// What the sequencer answers, request by request.
import { nodePrimitives } from '@kith/node/kernel/host'
import { publicKeyOf, sequencer } from '@kith/protocols'
import { describe, expect, it } from 'vitest'
import type { Device } from '../people.ts'
import { hex } from '../people.ts'
import { refusal, startWorld } from '../world.ts'

const bytes32 = (value: number) => new Uint8Array(32).fill(value)
const NOTHING = new Uint8Array(0)
const GROUP = bytes32(1)

interface Asked {
  readonly epoch: number
  readonly commit?: Uint8Array
  readonly parent?: Uint8Array
  readonly group?: Uint8Array
}

function ask(device: Device, { epoch, commit, parent, group }: Asked) {
  const request = {
    group: group ?? GROUP,
    epoch,
    parent: parent ?? NOTHING,
    commit: commit ?? bytes32(epoch)
  }
  return device.network.rpc.request(device.peer, sequencer.sequencerAppend, request)
}

/** The receipt, its signature checked. */
async function receiptOf(device: Device, asked: Asked): Promise<sequencer.Receipt> {
  const { receipt: signed } = await ask(device, asked)
  if (signed === undefined) throw new Error('no receipt')
  const relay = publicKeyOf(device.relay.relay)
  const message = sequencer.receiptToSign(signed.receipt)
  expect(nodePrimitives.verify(relay, message, signed.signature)).toBe(true)
  const receipt = sequencer.Receipt.decode(signed.receipt)
  expect(hex(receipt.relay)).toBe(hex(relay))
  return receipt
}

const hashOf = (receipt: sequencer.Receipt) =>
  sequencer.receiptHash(sequencer.Receipt.encode(receipt), nodePrimitives.sha256)

describe('the sequencer', () => {
  it('gives every commit of an epoch the receipt of the first', async () => {
    const { join } = await startWorld()
    const [alice, bob] = [await join(), await join()]
    const first = await receiptOf(alice, { epoch: 4, commit: bytes32(1) })
    expect(first).toMatchObject({ epoch: 4 })
    expect([first.group, first.commit, first.parent].map(hex)).toEqual(
      [GROUP, bytes32(1), NOTHING].map(hex)
    )
    expect(await ask(bob, { epoch: 4, commit: bytes32(2) })).toEqual(
      await ask(alice, { epoch: 4, commit: bytes32(1) })
    )
  })

  it('chains the receipts of a group, epochs left out or not', async () => {
    const { join } = await startWorld()
    const alice = await join()
    const first = await receiptOf(alice, { epoch: 0 })
    const second = await receiptOf(alice, { epoch: 1, parent: hashOf(first) })
    expect(hex(second.parent)).toBe(hex(hashOf(first)))
    const third = await receiptOf(alice, { epoch: 9 })
    expect(hex(third.parent)).toBe(hex(hashOf(second)))
    expect(await receiptOf(alice, { epoch: 0, commit: bytes32(77) })).toEqual(first)
  })

  it('refuses a commit on another receipt than the last, and an epoch it has passed', async () => {
    const { join } = await startWorld()
    const alice = await join()
    const first = await receiptOf(alice, { epoch: 3 })
    const conflict = refusal('conflict', 'parent')
    await expect(ask(alice, { epoch: 4, parent: bytes32(9) })).rejects.toMatchObject(conflict)
    const other = { epoch: 0, group: bytes32(2), parent: hashOf(first) }
    await expect(ask(alice, other)).rejects.toMatchObject(conflict)
    await expect(ask(alice, { epoch: 2 })).rejects.toMatchObject(
      refusal('conflict', 'epoch-passed')
    )
    // Whoever asks for what is decided learns of it, whatever parent he believed in.
    expect(await receiptOf(alice, { epoch: 3, parent: bytes32(9) })).toEqual(first)
  })

  it('keeps the last receipts of a group and forgets those before', async () => {
    const { join } = await startWorld()
    const alice = await join()
    for (let epoch = 0; epoch <= 64; epoch++) await receiptOf(alice, { epoch })
    await expect(ask(alice, { epoch: 0 })).rejects.toMatchObject(
      refusal('conflict', 'epoch-passed')
    )
    expect((await receiptOf(alice, { epoch: 1, commit: bytes32(99) })).commit[0]).toBe(1)
  })

  it('answers only what is on disk', async () => {
    const { join, disk, relay, startAgain } = await startWorld()
    const alice = await join()
    const first = await receiptOf(alice, { epoch: 0 })
    disk.hold()
    let answered = false
    const second = ask(alice, { epoch: 1 }).then(
      () => {
        answered = true
      },
      () => undefined
    )
    // Requests answered later do not wait for it: it had its turn.
    for (let turn = 0; turn < 5; turn++) {
      await expect(ask(alice, { epoch: 1, group: NOTHING })).rejects.toMatchObject({
        code: 'malformed'
      })
    }
    expect(answered).toBe(false)
    disk.crash()
    await relay.stop().catch(() => undefined)
    await second
    alice.meet(await startAgain())
    expect(await receiptOf(alice, { epoch: 0, commit: bytes32(9) })).toEqual(first)
    expect((await receiptOf(alice, { epoch: 1, commit: bytes32(9) })).commit[0]).toBe(9)
  })

  it('is closed to devices of no account here, and to what is malformed', async () => {
    const { join, connect } = await startWorld()
    const alice = await join()
    await expect(ask(await connect(), { epoch: 0 })).rejects.toMatchObject(refusal('forbidden'))
    for (const asked of [
      { epoch: 0, group: new Uint8Array(31) },
      { epoch: 0, commit: NOTHING },
      { epoch: 0, parent: new Uint8Array(33) }
    ]) {
      await expect(ask(alice, asked)).rejects.toMatchObject(refusal('malformed'))
    }
  })
})
