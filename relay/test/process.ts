// The `kith-relay` program as a process, as an operator would run it.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('../bin/kith-relay.js', import.meta.url))

export interface Finished {
  readonly code: number | null
  readonly out: string
  readonly error: string
}

function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env }
  })
  child.stdout?.setEncoding('utf8')
  child.stderr?.setEncoding('utf8')
  return child
}

/** Runs a command to its end. */
export async function run(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Finished> {
  const child = start(args, env)
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
  /** Sends the signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<number | null>
}

/** Starts a relay and waits until it is ready. */
export async function startProcess(home: string): Promise<Running> {
  const child = start(['start', '--home', home, '--json'])
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
    async end(signal) {
      child.kill(signal)
      const [code] = await closed
      return code
    }
  }
}
