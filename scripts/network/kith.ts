// The product's own binaries on a scratch folder: a relay, accounts, contacts, as a person would type them.
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AccountView, GapView, MessageView } from '@kith/node'
import { type LocalProcess, LocalProcesses } from './processes.ts'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const KITH = join(ROOT, 'cli', 'bin', 'kith.js')
const KITH_RELAY = join(ROOT, 'relay', 'bin', 'kith-relay.js')

/** One command, start-up of the runtime included; ten times what it takes on two slow cores. */
const COMMAND_MS = 30_000

/** The most that `kith message list` lists. */
const LIST_MAX = 1_000

/** What `kith message list` says. */
export interface Listing {
  readonly messages: readonly MessageView[]
  readonly gaps: readonly GapView[]
}

/** A scratch network: one folder, the processes that use it, the product's commands on both. */
export class Stage {
  readonly folder = mkdtempSync(join(tmpdir(), 'kith-'))
  readonly processes = new LocalProcesses()
  readonly #signal: AbortSignal

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  /** Folder of a person or relay; short, because the path of a local socket is. */
  home(name: string): string {
    return join(this.folder, name)
  }

  /** Runs `kith` for a person; resolves to its standard output. */
  kith(name: string, ...args: readonly string[]): Promise<string> {
    return this.processes.run({
      name: `kith ${args[0]} ${args[1] ?? ''} (${name})`,
      args: [KITH, ...args, '--home', this.home(name)],
      timeoutMs: COMMAND_MS,
      signal: this.#signal
    })
  }

  /** Runs `kith … --json`; the parsed lines. */
  async kithJson(name: string, ...args: readonly string[]): Promise<readonly unknown[]> {
    const output = await this.kith(name, ...args, '--json')
    return output
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
  }

  /** Starts `kith` and leaves it running. */
  startKith(
    name: string,
    options: { args: readonly string[]; mode?: 'captured' | 'terminal' }
  ): LocalProcess {
    return this.processes.start({
      name: `kith ${options.args[0]} (${name})`,
      args: [KITH, ...options.args, '--home', this.home(name)],
      mode: options.mode ?? 'captured'
    })
  }

  /** Makes a relay's folder; returns its join link. */
  async createRelay(): Promise<string> {
    const output = await this.processes.run({
      name: 'kith-relay init',
      args: [
        KITH_RELAY,
        'init',
        '--home',
        this.home('relay'),
        '--listen',
        `/ip4/127.0.0.1/tcp/${await freePort()}`,
        '--json'
      ],
      timeoutMs: COMMAND_MS,
      signal: this.#signal
    })
    return (JSON.parse(output) as { joinLink: string }).joinLink
  }

  /** Starts the relay and does not wait. */
  launchRelay(env: Readonly<Record<string, string>>): LocalProcess {
    return this.processes.start({
      name: 'relay',
      args: [KITH_RELAY, 'start', '--home', this.home('relay'), '--json'],
      env
    })
  }

  /** Starts the relay and waits until it listens. */
  async startRelay(): Promise<LocalProcess> {
    const relay = this.launchRelay({})
    await relay.line((line) => line.includes('"ready"'), {
      timeoutMs: COMMAND_MS,
      signal: this.#signal
    })
    return relay
  }

  /** A running relay, and two people with accounts on it who have each other as contact. */
  async introduce(one: string, other: string): Promise<LocalProcess> {
    const joinLink = await this.createRelay()
    const relay = await this.startRelay()
    const links = await Promise.all(
      [one, other].map(async (name) => {
        const options = ['--name', name, '--relay', joinLink]
        const [created] = await this.kithJson(name, 'account', 'create', ...options)
        return (created as { account: AccountView }).account.link
      })
    )
    await Promise.all([
      this.kith(one, 'contact', 'add', links[1] ?? '', '--name', other),
      this.kith(other, 'contact', 'add', links[0] ?? '', '--name', one)
    ])
    return relay
  }

  /** All messages of a person with a peer, oldest first, and what is known to be missing. */
  async messages(name: string, peer: string): Promise<Listing> {
    const messages: MessageView[] = []
    for (;;) {
      const oldest = messages.find(({ id }) => id !== undefined)?.id
      const page = oldest === undefined ? [] : ['--before', oldest]
      const options = ['--limit', String(LIST_MAX), ...page]
      const lines = await this.kithJson(name, 'message', 'list', peer, ...options)
      const listed = (lines as MessageView[]).filter((line) => 'local' in line)
      messages.unshift(...listed)
      const gaps = (lines as { gap?: GapView }[]).flatMap(({ gap }) => gap ?? [])
      if (listed.length < LIST_MAX) return { messages, gaps }
    }
  }

  /** Stops every process, newest first, and removes the folder. */
  async close(): Promise<void> {
    await this.processes.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** A port of the loopback interface that is free now, so that a relay keeps its address when it is restarted. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
