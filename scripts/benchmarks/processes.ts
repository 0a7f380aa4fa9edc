// Every side of a comparison is its own process: our workers (commands over the IPC channel) and foreign
// programs. All of them end with the benchmark, however it ends.
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { basename } from 'node:path'

/** Longest one command of a worker may take; the largest load takes a tenth of it on a busy machine. */
const COMMAND_TIMEOUT_MS = 180_000
/** A program that has not become ready by then will not. */
const READY_TIMEOUT_MS = 30_000
/** Time between the polite signal and SIGKILL. */
const STOP_TIMEOUT_MS = 5_000
/** USER_HZ: what the kernel counts processor time in towards user space, on every architecture Node runs on. */
const TICKS_PER_SECOND = 100

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export interface WorkerProcess {
  readonly pid: number
  /** Runs one command in the worker; rejects with the worker's error. */
  call<Result>(command: string, argument?: unknown): Promise<Result>
  stop(): Promise<void>
}

export interface Program {
  readonly pid: number
  /** Everything it printed until it was ready. */
  readonly output: string
  stop(): Promise<void>
}

/** Starts a file of workers/ with Node's own type stripping; `execArgv` are Node's options, none by default. */
export function startWorker(file: URL, execArgv: readonly string[] = []): WorkerProcess {
  const name = basename(file.pathname, '.ts')
  const child = fork(file, {
    execArgv: [...execArgv],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc']
  })
  running.add(child)
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  const failAll = (reason: string) => {
    running.delete(child)
    for (const { reject } of waiting.values()) reject(new Error(`worker ${name} ${reason}`))
    waiting.clear()
  }
  child.on('exit', (code, signal) => failAll(`ended (${signal ?? code})`))
  child.on('message', (message: { id: number; result?: unknown; error?: string }) => {
    const call = waiting.get(message.id)
    waiting.delete(message.id)
    if (message.error === undefined) call?.resolve(message.result)
    else call?.reject(new Error(`worker ${name}: ${message.error}`))
  })
  let calls = 0
  return {
    pid: child.pid ?? 0,
    async call<Result>(command: string, argument?: unknown) {
      const id = calls++
      const call = Promise.withResolvers<unknown>()
      waiting.set(id, call)
      child.send({ id, command, argument })
      const timer = setTimeout(
        () => call.reject(new Error(`worker ${name}: ${command} takes too long`)),
        COMMAND_TIMEOUT_MS
      )
      try {
        return (await call.promise) as Result
      } finally {
        clearTimeout(timer)
      }
    },
    stop: () => stopChild(child)
  }
}

/** Starts a foreign program and waits until its output matches `ready`. Rejects with the output if it does not. */
export async function startProgram(options: {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly ready: RegExp
}): Promise<Program> {
  const child = spawn(options.command, options.args, {
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  running.add(child)
  child.once('exit', () => running.delete(child))
  let output = ''
  const ready = Promise.withResolvers<void>()
  const read = (chunk: Buffer) => {
    // Nothing is kept once it is ready: a chatty server must not grow the benchmark.
    if (options.ready.test(output)) return
    output += chunk.toString()
    if (options.ready.test(output)) ready.resolve()
  }
  child.stdout.on('data', read)
  child.stderr.on('data', read)
  child.once('error', ready.reject)
  child.once('exit', (code, signal) =>
    ready.reject(new Error(`${options.command} ended (${signal ?? code}): ${output}`))
  )
  const timer = setTimeout(
    () => ready.reject(new Error(`${options.command} is not ready: ${output}`)),
    READY_TIMEOUT_MS
  )
  try {
    await ready.promise
  } catch (cause) {
    await stopChild(child)
    throw cause
  } finally {
    clearTimeout(timer)
  }
  return { pid: child.pid ?? 0, output, stop: () => stopChild(child) }
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await ended
  clearTimeout(timer)
}

/**
 * Processor seconds (user and system, all threads) a process has used, in steps of 10 ms.
 * @throws where there is no /proc or no such process
 */
export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The command's name, in parentheses, may hold spaces: count from behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** A TCP port of the loopback interface that nothing listens on right now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
