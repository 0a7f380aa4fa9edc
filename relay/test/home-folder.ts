// The folder of a relay that runs as a process, removed at the end with whatever runs in it.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Running, run, startProcess } from './process.ts'

export interface HomeFolder {
  readonly home: string
  /** Makes a relay that listens on a free port of loopback. */
  init(...args: string[]): Promise<void>
  start(env?: NodeJS.ProcessEnv): Promise<Running>
  /** Stops what runs, in order. */
  stop(): Promise<void>
  /** Kills what runs. */
  kill(): Promise<void>
  remove(): Promise<void>
}

/** A fresh one; nothing is in it. */
export async function createHomeFolder(): Promise<HomeFolder> {
  const parent = await mkdtemp(join(tmpdir(), 'kith-'))
  const home = join(parent, 'relay')
  const running: Running[] = []
  const end = async (signal: NodeJS.Signals) => {
    for (const relay of running.splice(0)) await relay.end(signal)
  }
  return {
    home,
    async init(...args) {
      const all = ['init', '--home', home, '--listen', '/ip4/127.0.0.1/tcp/0', ...args]
      const { code, error } = await run(all)
      if (code !== 0) throw new Error(error)
    },
    async start(env) {
      const relay = await startProcess(home, env === undefined ? {} : { env })
      running.push(relay)
      return relay
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    async remove() {
      await end('SIGKILL')
      await rm(parent, { recursive: true, force: true })
    }
  }
}
