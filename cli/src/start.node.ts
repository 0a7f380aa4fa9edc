// `kith` as a process: real streams, signals, exit code. Loads the engine only when a command needs it.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { systemClock } from './clock.ts'
import type { Engine, Log } from './engine.ts'
import { EXIT } from './exit-codes.ts'
import { defaultHome } from './home.node.ts'
import { runCli } from './main.ts'
import type { Stream } from './output.ts'
import { toSafeJson } from './sanitize.ts'
import { createSecrets } from './secrets.node.ts'

/** Runs the command of `process.argv` and ends the process with its exit code. */
export async function start(): Promise<void> {
  const interruption = interruptionSignal()
  // Timers of this package do not keep a process alive; a command that waits must.
  new MessageChannel().port1.ref()
  const exitCode = await runCli({
    argv: process.argv.slice(2),
    env: process.env,
    version: readVersion(),
    stdin: { isTerminal: process.stdin.isTTY === true, bytes: process.stdin },
    stdout: streamOf(process.stdout, () => interruption.abort()),
    stderr: streamOf(process.stderr, () => undefined),
    signal: interruption.signal,
    engine: loadEngine,
    log: createDiagnostics,
    defaultHome: defaultHome(process.env),
    resolvePath: (given) => resolve(given),
    configFile: async () => {
      const { loadFile } = await import('./config/file.node.ts')
      return await loadFile(process.env)
    },
    secrets: (file) =>
      createSecrets({
        file,
        env: process.env,
        input: process.stdin,
        prompt: (text) => void process.stderr.write(text)
      }),
    editor: async () => {
      const { createLineEditor } = await import('./chat/terminal.node.ts')
      return createLineEditor(process.stdin, process.stdout)
    },
    fullScreen: () => ({
      input: process.stdin,
      output: process.stdout,
      env: process.env,
      holdDiagnostics
    })
  })
  process.exit(exitCode)
}

async function loadEngine(): Promise<Engine> {
  return await import('@kith/node/host')
}

/** Logs go to standard error with KITH_DEBUG=1, as JSON without raw control characters; otherwise nowhere. */
async function createDiagnostics(): Promise<Log> {
  const isOn = process.env.KITH_DEBUG === '1'
  const at = (level: string) => (event: string, fields?: object) => {
    if (isOn) process.stderr.write(`${toSafeJson({ level, event, ...fields })}\n`)
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

function readVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

/** Only what would land on the same terminal; a file or a pipe gets it as it comes. */
function holdDiagnostics(take: (text: string) => void): () => void {
  const { stderr } = process
  if (stderr.isTTY !== true) return () => undefined
  const write = stderr.write
  stderr.write = (text: string | Uint8Array, ...rest: unknown[]) => {
    take(typeof text === 'string' ? text : Buffer.from(text).toString('utf8'))
    const done = rest.at(-1)
    if (typeof done === 'function') done()
    return true
  }
  return () => {
    stderr.write = write
  }
}

/**
 * A terminal signals both this process and one that started it under another Node, which passes it on: what comes
 * within this time is the same Ctrl-C.
 */
const SAME_SIGNAL_MS = 500

/** First signal: end in order. Second: end at once. */
function interruptionSignal(): AbortController {
  const controller = new AbortController()
  let firstAtMs = 0
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      const nowMs = systemClock.now()
      if (!controller.signal.aborted) firstAtMs = nowMs
      else if (nowMs - firstAtMs > SAME_SIGNAL_MS) process.exit(EXIT.interrupted)
      controller.abort()
    })
  }
  return controller
}

/** `onClosed`: nobody reads any more (`kith … | head`). */
function streamOf(stream: NodeJS.WriteStream, onClosed: () => void): Stream {
  let isClosed = false
  stream.on('error', () => {
    isClosed = true
    onClosed()
  })
  return {
    isTerminal: stream.isTTY === true,
    write: (text) =>
      new Promise((resolve) => {
        if (isClosed) return resolve()
        // Called with an error as well, which the listener above takes.
        stream.write(text, () => resolve())
      })
  }
}
