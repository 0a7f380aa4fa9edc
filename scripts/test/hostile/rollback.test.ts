// A relay that takes back what it signed: an older log, served later in the same life of its store. The real relay
// with an old backup does just that, with signatures that hold.
import { checkEvidence } from '@kith/node/host'
import { afterEach, expect, it } from 'vitest'
import type { World } from '../talk/world.ts'
import { noticesOf, requireHealed, talking } from './relay-lies.ts'

let world: World
afterEach(() => world.end())

it('a relay that serves an older log is told to the user, with proof kept of both heads', async () => {
  const made = await talking(1)
  world = made.world
  const { alice, bob } = made
  const backup = await world.backUpRelay()
  await world.run(5_000)
  for (let count = 0; count < 3; count += 1) {
    await alice.send('bob', `later ${count}`)
    await world.run(1_000)
  }
  await world.stopRelay()
  world.relayDisk = backup
  await world.startRelay()
  await world.run(60_000)
  for (const person of [alice, bob]) {
    expect(noticesOf(person).join('\n'), person.name).toContain('A relay contradicted itself')
  }
  await requireHealed(world, alice, bob)
  for (const person of [alice, bob]) {
    // An old head is no lie by itself; the log that grows from it in another way is.
    await person.stop()
    await person.start()
    const evidence = await person.api.listEvidence()
    expect(evidence.length, person.name).toBeGreaterThan(0)
    for (const one of evidence) {
      expect(one).toMatchObject({ relay: world.relayId, kind: 'heads' })
      expect(checkEvidence(one), person.name).toBe(true)
    }
  }
})
