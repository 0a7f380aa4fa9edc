// The `kith-relay` program as a process, as an operator would run it.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('../bin/kith-relay.js', import.meta.url))

/** `ulimit -f` of a POSIX shell counts 512 bytes. */
const ULIMIT_UNITS = 2

export interface Finished {
  readonly code: number | null
  readonly out: string
  readonly error: string
}

function start(
  args: readonly string[],
  { env = {}, fileKibMax }: { env?: NodeJS.ProcessEnv; fileKibMax?: number } = {}
): ChildProcess {
  const command = [process.execPath, PROGRAM, ...args]
  // The shell passes its limit on and gives its place to the program.
  const limited = ['sh', '-c', `ulimit -f ${(fileKibMax ?? 0) * ULIMIT_UNITS}; exec "$@"`, 'sh']
  const [file = '', ...rest] = fileKibMax === undefined ? command : [...limited, ...command]
  const child = spawn(file, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env }
  })
  child.stdout?.setEncoding('utf8')
  child.stderr?.setEncoding('utf8')
  return child
}

/** Runs a command to its end. */
export async function run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> {
  const child = start(args, { env })
  const finished = { out: '', error: '' }
  child.stdout?.on('data', (text: string) => {
    finished.out += text
  })
  child.stderr?.on('data', (text: string) => {
    finished.error += text
  })
  const [code] = await once(child, 'close')
  return { ...finished, code }
}

export interface Running {
  readonly joinLink: string
  /** `host:port` of /health and /metrics, when they are served. */
  readonly http: string | undefined
  signal(signal: NodeJS.Signals): void
  readonly pid: number
  /** Sends the signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<number | null>
  /** Resolves when it has ended by itself. */
  readonly ended: Promise<Pick<Finished, 'code' | 'error'>>
}

/** Starts a relay and waits until it is ready. With `fileKibMax` its disk is full early. */
export async function startProcess(
  home: string,
  options: { readonly fileKibMax?: number; readonly env?: NodeJS.ProcessEnv } = {}
): Promise<Running> {
  const child = start(['start', '--home', home, '--json'], options)
  let complaints = ''
  child.stderr?.on('data', (text: string) => {
    complaints += text
  })
  const closed = once(child, 'close')
  const ready = await new Promise<string>((resolve, reject) => {
    child.stdout?.once('data', resolve)
    closed.then(() => reject(new Error(`the relay ended: ${complaints}`)), reject)
  })
  return {
    joinLink: JSON.parse(ready).joinLink,
    http: JSON.parse(ready).http,
    signal: (signal) => void child.kill(signal),
    pid: child.pid ?? 0,
    ended: closed.then(([code]) => ({ code, error: complaints })),
    async end(signal) {
      child.kill(signal)
      const [code] = await closed
      return code
    }
  }
}
