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
const { sha256 } = nodePrimitives

/** What only members of an epoch know. */
const proofOf = (epoch: number) => bytes32(100 + epoch)

type Asked = Partial<sequencer.SequenceRequest> & { readonly epoch: number }

/** A member's request, but for what is given. */
function requestOf(asked: Asked): sequencer.SequenceRequest {
  const { epoch } = asked
  return {
    group: GROUP,
    commit: bytes32(epoch),
    sealed: new Uint8Array(304).fill(epoch),
    proof: proofOf(epoch),
    next: sequencer.proofHash(proofOf(epoch + 1), sha256),
    previous: NOTHING,
    ...asked
  }
}

const ask = (device: Device, asked: Asked) =>
  device.network.rpc.request(device.peer, sequencer.sequencerAppend, requestOf(asked))

const look = (device: Device, epoch: number, group = GROUP) =>
  device.network.rpc.request(device.peer, sequencer.sequencerDecided, { group, epoch })

/** The signed receipt, its signature checked. */
async function signedOf(device: Device, asked: Asked): Promise<sequencer.SignedReceipt> {
  const { receipt: signed } = await ask(device, asked)
  if (signed === undefined) throw new Error('no receipt')
  const message = sequencer.receiptToSign(signed.receipt)
  const relay = publicKeyOf(device.relay.relay)
  expect(nodePrimitives.verify(relay, message, signed.signature)).toBe(true)
  return signed
}

async function receiptOf(device: Device, asked: Asked): Promise<sequencer.Receipt> {
  const receipt = sequencer.Receipt.decode((await signedOf(device, asked)).receipt)
  expect(hex(receipt.relay)).toBe(hex(publicKeyOf(device.relay.relay)))
  return receipt
}

const hashOf = (receipt: sequencer.Receipt) =>
  sequencer.receiptHash(sequencer.Receipt.encode(receipt), sha256)

describe('the sequencer', () => {
  it('gives every commit of an epoch the receipt of the first, and the first change', async () => {
    const { join } = await startWorld()
    const [alice, bob] = [await join(), await join()]
    const sealed = bytes32(77)
    const first = await receiptOf(alice, { epoch: 4, commit: bytes32(1), sealed })
    expect(first).toMatchObject({ epoch: 4 })
    expect([first.group, first.commit, first.parent].map(hex)).toEqual(
      [GROUP, bytes32(1), NOTHING].map(hex)
    )
    expect(hex(first.sealed)).toBe(hex(sequencer.sealedChangeHash(sealed, sha256)))
    const second = await ask(bob, { epoch: 4, commit: bytes32(2), proof: bytes32(0) })
    expect(second).toEqual(await ask(alice, { epoch: 4, commit: bytes32(1), sealed }))
    expect(hex(second.sealed)).toBe(hex(sealed))
    expect(await look(bob, 4)).toEqual(second)
  })

  it('says what is decided to who has no commit of his own, and decides nothing by it', async () => {
    const { join } = await startWorld()
    const alice = await join()
    await expect(look(alice, 0)).rejects.toMatchObject(refusal('not-found', 'epoch'))
    await receiptOf(alice, { epoch: 0 })
    expect(hex((await look(alice, 0)).sealed)).toBe('00'.repeat(304))
    await expect(look(alice, 1)).rejects.toMatchObject(refusal('not-found', 'epoch'))
    await expect(look(alice, 0, bytes32(9))).rejects.toMatchObject(refusal('not-found', 'epoch'))
  })

  it('chains the receipts of a group, and passes no epoch over', async () => {
    const { join } = await startWorld()
    const alice = await join()
    const first = await receiptOf(alice, { epoch: 0 })
    const second = await receiptOf(alice, { epoch: 1 })
    expect(hex(second.parent)).toBe(hex(hashOf(first)))
    await expect(ask(alice, { epoch: 9 })).rejects.toMatchObject(refusal('conflict', 'epoch-ahead'))
    expect(await receiptOf(alice, { epoch: 0, commit: bytes32(77) })).toEqual(first)
  })

  it('takes no commit from who was in the group before and is not now', async () => {
    const { join } = await startWorld()
    const [alice, mallory] = [await join(), await join()]
    await receiptOf(alice, { epoch: 3 })
    const removed = { epoch: 4, proof: proofOf(3) }
    await expect(ask(mallory, removed)).rejects.toMatchObject(refusal('forbidden', 'not-a-member'))
    expect((await receiptOf(alice, { epoch: 4 })).epoch).toBe(4)
  })

  it('goes on from its own receipt when it was put back from a backup', async () => {
    const { join } = await startWorld()
    const [alice, bob] = [await join(), await join()]
    const group = bytes32(2)
    for (let epoch = 0; epoch < 3; epoch++) await receiptOf(alice, { epoch })
    const previous = sequencer.SignedReceipt.encode(await signedOf(alice, { epoch: 3 }))
    // The same receipt in a group of which only the beginning is known here proves nothing.
    await receiptOf(bob, { epoch: 0, group })
    for (const bad of [
      previous,
      bytes32(1),
      previous.map((byte, at) => (at === 9 ? byte ^ 1 : byte))
    ]) {
      await expect(ask(bob, { epoch: 4, group, previous: bad })).rejects.toMatchObject(
        refusal('malformed')
      )
    }
    expect((await receiptOf(alice, { epoch: 4, previous })).epoch).toBe(4)
  })

  it('refuses an epoch it has passed', async () => {
    const { join } = await startWorld()
    const alice = await join()
    await receiptOf(alice, { epoch: 3 })
    await expect(ask(alice, { epoch: 2 })).rejects.toMatchObject(
      refusal('conflict', 'epoch-passed')
    )
  })

  it('keeps the last receipts of a group and forgets those before', async () => {
    const { join } = await startWorld()
    const alice = await join()
    for (let epoch = 0; epoch <= 64; epoch++) await receiptOf(alice, { epoch })
    await expect(ask(alice, { epoch: 0 })).rejects.toMatchObject(
      refusal('conflict', 'epoch-passed')
    )
    await expect(look(alice, 0)).rejects.toMatchObject(refusal('not-found', 'epoch'))
    expect((await receiptOf(alice, { epoch: 1, commit: bytes32(99) })).commit[0]).toBe(1)
  })

  it('keeps a megabyte of one group however large its changes are', {
    timeout: 30_000
  }, async () => {
    const { join } = await startWorld()
    const alice = await join()
    const sealed = new Uint8Array(sequencer.SEALED_CHANGE_BYTES_MAX)
    for (let epoch = 0; epoch < 17; epoch++) await receiptOf(alice, { epoch, sealed })
    await expect(look(alice, 1)).rejects.toMatchObject(refusal('not-found', 'epoch'))
    for (const epoch of [2, 16]) {
      expect((await look(alice, epoch)).sealed.byteLength).toBe(sealed.byteLength)
    }
  })

  it('answers only what is on disk, and with all of it after a crash', async () => {
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
      await expect(look(alice, 1)).rejects.toMatchObject(refusal('not-found', 'epoch'))
    }
    expect(answered).toBe(false)
    disk.crash()
    await relay.stop().catch(() => undefined)
    await second
    alice.meet(await startAgain())
    expect(await receiptOf(alice, { epoch: 0, commit: bytes32(9) })).toEqual(first)
    expect(hex((await look(alice, 0)).sealed)).toBe('00'.repeat(304))
    expect((await receiptOf(alice, { epoch: 1, commit: bytes32(9) })).commit[0]).toBe(9)
  })

  it('is closed to devices of no account here, and to what is malformed', async () => {
    const { join, connect } = await startWorld()
    const alice = await join()
    const nobody = await connect()
    await expect(ask(nobody, { epoch: 0 })).rejects.toMatchObject(refusal('forbidden'))
    await expect(look(nobody, 0)).rejects.toMatchObject(refusal('forbidden'))
    for (const asked of [
      { epoch: 0, group: new Uint8Array(31) },
      { epoch: 0, commit: NOTHING },
      { epoch: 0, sealed: NOTHING },
      { epoch: 0, sealed: new Uint8Array(sequencer.SEALED_CHANGE_BYTES_MAX + 1) },
      { epoch: 0, proof: new Uint8Array(31) },
      { epoch: 0, next: NOTHING }
    ]) {
      await expect(ask(alice, asked)).rejects.toMatchObject(refusal('malformed'))
    }
    await expect(look(alice, 0, new Uint8Array(31))).rejects.toMatchObject(refusal('malformed'))
    const oversized = { epoch: 0, sealed: new Uint8Array(2 * sequencer.SEALED_CHANGE_BYTES_MAX) }
    await expect(ask(alice, oversized)).rejects.toMatchObject({ code: 'too-large' })
  })
})
