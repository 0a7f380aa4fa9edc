// The relay under test: the real command, a fresh home, default settings but for the address it listens
// on and how many accounts its invite lets in.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Load, LoadResult } from './measure/load.ts'
import { freePort, type Program, startProgram, startWorker } from './processes.ts'

const KITH_RELAY = fileURLToPath(new URL('../../relay/bin/kith-relay.js', import.meta.url))

/** More than any subject needs; the default is for a household. */
const INVITE_USES = 10_000

export interface RelayProcess extends Program {
  /** One link lets several accounts in. */
  readonly joinLink: string
}

/** Two devices in a process of their own. */
export interface DevicePair {
  /** Durable acceptance: alice appends, nobody is subscribed. */
  accept(load: Load): Promise<LoadResult>
  /** Alice to bob; needs `subscribed`. */
  forward(load: Load): Promise<LoadResult>
  stop(): Promise<void>
}

/** Initialises and starts a relay. `profileFolder` takes a processor profile when it stops. */
export async function startRelay(folder: string, profileFolder?: string): Promise<RelayProcess> {
  const home = join(folder, 'relay')
  const listen = `/ip4/127.0.0.1/tcp/${await freePort()}`
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...[KITH_RELAY, 'init', '--home', home, '--listen', listen],
    ...['--invite-uses', `${INVITE_USES}`]
  ])
  const joinLink = /kith:join\/\S+/.exec(stdout)?.[0]
  if (joinLink === undefined) throw new Error(`kith-relay init printed no join link: ${stdout}`)
  const profile = profileFolder === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', profileFolder]
  const program = await startProgram({
    command: process.execPath,
    args: [...profile, KITH_RELAY, 'start', '--home', home],
    ready: /^ready/m
  })
  return { ...program, joinLink }
}

/** Makes two accounts on the relay, with open subscriptions if `subscribed`. */
export async function startDevices(relay: RelayProcess, subscribed: boolean): Promise<DevicePair> {
  const worker = startWorker(new URL('./workers/devices.ts', import.meta.url))
  try {
    await worker.call('open', { joinLinks: [relay.joinLink, relay.joinLink] })
    if (subscribed) await worker.call('subscribe')
  } catch (cause) {
    await worker.stop()
    throw cause
  }
  return {
    accept: (load) => worker.call('accept', load),
    forward: (load) => worker.call('forward', load),
    stop: () => worker.stop()
  }
}
