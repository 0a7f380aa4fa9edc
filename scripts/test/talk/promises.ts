// What is said must be on a disk already: looked up at the very moment when it is said.
import type { MemoryDisk } from '@kith/node/kernel'
import { storeKey, u48 } from '@kith/node/kernel'
import { idBytes, type MessageId } from '@kith/protocols'
import { concat } from 'uint8arrays/concat'
import type { Person } from './person.ts'
import type { World } from './world.ts'

/** In front of every key of a sealed store. */
const SEALED = Uint8Array.of(1)
const EVERYTHING = { from: new Uint8Array(0), to: new Uint8Array(80).fill(255) }

/** Whether the person's disk has this message, composed or received. */
function hasMessage({ disk, store }: Person, id: MessageId): boolean {
  const key = store?.opaqueKey('delivery/mark', idBytes(id))
  return key !== undefined && disk.get(concat([SEALED, key])) !== undefined
}

function hasKeyWith(disk: MemoryDisk, part: Uint8Array): boolean {
  const wanted = Buffer.from(part)
  return disk.range(EVERYTHING).some(([key]) => Buffer.from(key).includes(wanted))
}

/** Whether the person's disk has what its outbox took. */
function hasComposed({ disk }: Person, local: number): boolean {
  return disk.get(concat([SEALED, storeKey('delivery/outbox', u48(local))])) !== undefined
}

/** From now on each event of these devices is held against the disks of all. */
export function watchPromises(world: World, devices: readonly Person[]): void {
  for (const person of devices) {
    const others = devices.filter(({ account }) => account !== person.account)
    person.onSent = ({ local }) => {
      if (hasComposed(person, local)) return
      world.fail(new Error(`seed ${world.seed}: ${person.name} took ${local} too early`))
    }
    const before = person.onEvent
    person.onEvent = (event) => {
      if (event.type === 'message' || event.type === 'state') {
        const { id, state, outgoing, path } = event.message
        const require = (isTrue: boolean, what: string) => {
          if (!isTrue)
            world.fail(new Error(`seed ${world.seed}: ${person.name} said too early: ${what}`))
        }
        if (id !== undefined && !outgoing) require(hasMessage(person, id), 'received')
        if (id !== undefined && state === 'delivered') {
          // On one device of theirs, whichever.
          require(others.some((other) => hasMessage(other, id)), 'delivered')
        }
        if (id !== undefined && state === 'accepted' && path === 'relay') {
          // Told only now, it may have been accepted by a disk that is gone since.
          const isThere = world.relayDisks.some((disk) => hasKeyWith(disk, idBytes(id)))
          require(isThere, 'accepted')
        }
      }
      before(event)
    }
  }
}
