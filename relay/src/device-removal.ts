// A device leaves an account: nobody answers it from here on, and what the relay keeps for it goes in the same
// transaction as the operation that removes it.
import type { Clock, Network, Write } from '@kith/node/kernel'
import { deviceIdOf } from '@kith/protocols'
import { type Boxes, cursorKey } from './box/index.ts'
import type { DeviceRemoval } from './identity/index.ts'
import { packagesDelete } from './key-packages/index.ts'
import type { Serial } from './limits/serial.ts'
import { mapKey } from './storage/keys.ts'
import type { StoreReader } from './storage/reader.ts'

/** From the end of a device's rights to the end of its connections; a removal is promised within a second. */
const DISCONNECT_DELAY_MS = 250

export interface RemovalComponents {
  readonly store: StoreReader
  readonly boxes: Pick<Boxes, 'writeLater'>
  /** Turns in which key packages are published and taken. */
  readonly packageTurns: Serial
  readonly clock: Clock
  readonly commit: (writes: readonly Write[]) => Promise<void>
}

/** Carries out removals that the identity service has decided; connections of `network` end soon after. */
export function createRemoval(
  components: RemovalComponents,
  network: Pick<Network, 'disconnect'>
): (removal: DeviceRemoval) => Promise<void> {
  const { packageTurns, clock, commit } = components
  return async ({ revoke, writes, ...of }) => {
    // In a turn of its own, so that no package is published between its end and the deletion.
    await packageTurns.run(async () => {
      // First: should the disk fail now, the relay ends, and nobody was answered who should not have been.
      revoke()
      await commit([...writes, ...(await deletesOf(of, components))])
    })
    // Later, so that an answer that is on its way arrives: the device may have removed itself.
    clock.schedule(DISCONNECT_DELAY_MS, () => {
      for (const device of of.devices) network.disconnect(deviceIdOf(device))
    })
  }
}

/** Their subscriptions have ended, so no cursor is written after this one. */
async function deletesOf(
  { box, devices }: Pick<DeviceRemoval, 'box' | 'devices'>,
  { store, boxes }: RemovalComponents
): Promise<Write[]> {
  const writes: Write[] = []
  for (const device of devices) {
    writes.push(...(await packagesDelete(store, { box, device })))
    const cursor: Write = { type: 'delete', key: cursorKey(box, device) }
    writes.push(cursor)
    // In place of a cursor that waits for the next group commit.
    boxes.writeLater(mapKey(cursor.key), cursor)
  }
  return writes
}
