// The built commands as real processes on a scratch folder: a relay, people, terminals. Everything started is stopped.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..', '..', '..')
const KITH = join(ROOT, 'cli', 'bin', 'kith.js')
const KITH_RELAY = join(ROOT, 'relay', 'bin', 'kith-relay.js')

/** A command that takes longer hangs. */
const COMMAND_MS = 40_000

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  json(): Record<string, unknown>[]
}

export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  stdout(): string
  stderr(): string
}

export interface StartOptions {
  /** Person whose home it is. */
  readonly as?: string
  /** Standard input, ended after it; undefined: ended at once; null: left open. */
  readonly input?: string | Uint8Array | null
  readonly env?: Readonly<Record<string, string>>
  /** Another Node than this process's. */
  readonly node?: string
}

/** On loopback a relay would be open. */
const BY_INVITE = ['--registration', 'invite']

export class ProcessStage {
  folder = ''
  private readonly children = new Set<ChildProcess>()

  async open(): Promise<void> {
    if (!existsSync(join(ROOT, 'cli', 'dist', 'start.node.js'))) {
      throw new Error('the commands are not built; run: tsc -b')
    }
    this.folder = await mkdtemp(join(tmpdir(), 'kith-process-'))
  }

  async close(): Promise<void> {
    for (const child of this.children) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    await rm(this.folder, { recursive: true, force: true })
  }

  home(name: string): string {
    return join(this.folder, name)
  }

  /** `kith …` in somebody's home, until it ends. */
  kith(argv: readonly string[], options: StartOptions = {}): Promise<Ended> {
    const { child, ended } = this.start(argv, options)
    const timer = setTimeout(() => child.kill('SIGKILL'), COMMAND_MS)
    return ended.finally(() => clearTimeout(timer))
  }

  start(argv: readonly string[], options: StartOptions = {}): Running {
    const home = options.as === undefined ? {} : { KITH_HOME: this.home(options.as) }
    return this.spawn([KITH, ...argv], { ...options, env: { ...home, ...options.env } })
  }

  /** Makes and starts a relay; resolves to its join link once it listens. */
  async startRelay(name: string): Promise<{ link: string; relay: Running }> {
    const home = this.home(name)
    if (!existsSync(home)) {
      const listen = `/ip4/127.0.0.1/tcp/${await freePort()}`
      const made = this.spawn(
        [KITH_RELAY, 'init', '--home', home, '--listen', listen, ...BY_INVITE],
        {}
      )
      if ((await made.ended).code !== 0) throw new Error((await made.ended).stderr)
    }
    const relay = this.spawn([KITH_RELAY, 'start', '--home', home], { input: null })
    await until(() => relay.stdout().includes('ready '))
    return { link: /ready (\S+)/.exec(relay.stdout())?.[1] ?? '', relay }
  }

  private spawn(argv: readonly string[], options: StartOptions): Running {
    const { KITH_HOME: _, KITH_PASSPHRASE: __, KITH_DEBUG: ___, ...env } = process.env
    const child = spawn(options.node ?? process.execPath, argv, {
      env: { ...env, ...options.env },
      stdio: 'pipe'
    })
    this.children.add(child)
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text
    })
    // A process that ends before it has read its input is not this test's failure.
    child.stdin.on('error', () => undefined)
    if (options.input !== null) child.stdin.end(options.input ?? '')
    const ended = this.end(child, () => ({ stdout, stderr }))
    return { child, ended, stdout: () => stdout, stderr: () => stderr }
  }

  private async end(
    child: ChildProcess,
    read: () => { stdout: string; stderr: string }
  ): Promise<Ended> {
    await once(child, 'close')
    const { stdout, stderr } = read()
    const json = () =>
      stdout
        .trim()
        .split('\n')
        .map((text) => JSON.parse(text))
    return { code: child.exitCode, stdout, stderr, json }
  }
}

/** Polls, because processes say nothing when they change files. */
export async function until(condition: () => boolean, waitMs = 20_000): Promise<void> {
  const giveUpAt = Date.now() + waitMs
  while (!condition()) {
    if (Date.now() > giveUpAt) throw new Error(`not within ${waitMs} ms: ${condition}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
