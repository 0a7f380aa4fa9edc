// The event log of a person in memory: the shipped one, over a store in memory.
import type { EventsApi, NodeEvent } from '@kith/node'
import { EventLog, EventReader, FakeClock, MemoryDisk, openMemoryStore } from '@kith/node/testing'
import { systemClock } from '../src/clock.ts'

async function open() {
  const store = openMemoryStore(new MemoryDisk())
  // Times that tests do not look at; waiting is on the real clock.
  const clock = Object.assign(new FakeClock(), { schedule: systemClock.schedule })
  const log = await EventLog.open({ store, clock })
  return { store, log, reader: await EventReader.open({ store, clock, log }) }
}

export class MemoryEvents {
  private opened = open()

  /** In the order of the calls. */
  write(event: NodeEvent): void {
    this.opened = this.opened.then(async (all) => {
      const entry = all.log.enter([event])
      await all.store.commit(entry.writes)
      entry.kept()
      return all
    })
  }

  api(): EventsApi {
    const reader = async () => (await this.opened).reader
    return {
      readEvents: async (options, signal) => (await reader()).readEvents(options, signal),
      confirmEvents: async (options) => (await reader()).confirmEvents(options),
      listConsumers: async () => (await reader()).listConsumers(),
      forgetConsumer: async (options) => (await reader()).forgetConsumer(options)
    }
  }
}
