// Real processes on this machine, each started, watched and stopped by its id: the last lines of their output
// are kept for the case of failure, every wait has a bound, everything is stopped in reverse order of its start.
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

/** Time to end after SIGTERM; a node closes its store and streams in well under a second. */
const STOP_MS = 10_000

/** Lines kept of each process: enough to hold the stack of a failure and what led to it. */
const TAIL_LINES = 200

export interface ProcessOptions {
  /** How it is called in messages. */
  readonly name: string
  /** Script and arguments, run with this Node. */
  readonly args: readonly string[]
  /** `terminal` shares this process's terminal and process group; otherwise output is captured. */
  readonly mode?: 'captured' | 'terminal'
  /** Besides this process's own environment. */
  readonly env?: Readonly<Record<string, string>>
}

export interface WaitOptions {
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/** A process that ended on its own where it should not have, or not as it should have. */
export class ProcessError extends Error {
  override readonly name = 'ProcessError'
}

/** One started process. */
export class LocalProcess {
  readonly name: string
  /** Exit code, or the name of the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
  readonly #child: ChildProcess
  readonly #tail: string[] = []
  readonly #output: string[] = []
  readonly #errors: string[] = []
  #read = 0
  #hasEnded = false
  #onChange = new Set<() => void>()

  constructor(options: ProcessOptions) {
    this.name = options.name
    const captured = options.mode !== 'terminal'
    this.#child = spawn(process.execPath, [...options.args], {
      stdio: captured ? 'pipe' : 'inherit',
      // A group of its own, so that Ctrl-C reaches only the process that stops the others in order.
      detached: captured,
      env: { ...ownEnvironment(), ...options.env }
    })
    if (captured) {
      this.#keep(this.#child.stdout, (line) => this.#output.push(line))
      this.#keep(this.#child.stderr, (line) => this.#errors.push(line))
      // A process that ends early takes its input with it; `ended` tells.
      this.#child.stdin?.on('error', () => {})
    }
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#tail.push(String(error))
        this.#finish(() => resolve(1))
      })
      this.#child.once('close', (code, signal) => this.#finish(() => resolve(signal ?? code ?? 1)))
    })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** The last lines of both outputs. */
  get tail(): readonly string[] {
    return this.#tail
  }

  /** Every line of standard output so far. */
  get output(): readonly string[] {
    return this.#output
  }

  /** Every line of standard error so far, where the product logs. */
  get errors(): readonly string[] {
    return this.#errors
  }

  /** Writes one line to its standard input. */
  write(line: string): void {
    this.#child.stdin?.write(`${line}\n`)
  }

  /** Ends its standard input. */
  end(): void {
    this.#child.stdin?.end()
  }

  /** The next line of standard output that `matches`, from behind the one found last. */
  async line(matches: (line: string) => boolean, options: WaitOptions): Promise<string> {
    const found = await this.#when(() => {
      while (this.#read < this.#output.length) {
        const line = this.#output[this.#read++] ?? ''
        if (matches(line)) return line
      }
      return undefined
    }, options)
    return found
  }

  /** Waits for its end and resolves to its exit code or signal; kills it and throws when that takes too long. */
  async finish(options: WaitOptions): Promise<number | NodeJS.Signals> {
    const stopped = AbortSignal.any([
      AbortSignal.timeout(options.timeoutMs),
      ...(options.signal === undefined ? [] : [options.signal])
    ])
    const end = await Promise.race([this.ended, aborted(stopped)])
    if (end !== undefined) return end
    await this.kill()
    throw new ProcessError(
      options.signal?.aborted
        ? `${this.name} was interrupted`
        : `${this.name} did not end within ${options.timeoutMs / 1000} s`
    )
  }

  /** As `finish`, and throws unless it ended with exit code 0. */
  async success(options: WaitOptions): Promise<void> {
    const end = await this.finish(options)
    if (end !== 0) throw new ProcessError(`${this.name} ended with ${end}`)
  }

  /** SIGTERM, then SIGKILL when it does not end in time. Resolves once it is gone. */
  async stop(): Promise<void> {
    if (this.#hasEnded) return
    this.#child.kill('SIGTERM')
    const end = await Promise.race([this.ended, aborted(AbortSignal.timeout(STOP_MS))])
    if (end === undefined) await this.kill()
  }

  /** SIGKILL: the process gets no chance to write anything more. Resolves once it is gone. */
  async kill(): Promise<void> {
    if (!this.#hasEnded) this.#child.kill('SIGKILL')
    await this.ended
  }

  #keep(stream: Readable | null, line: (text: string) => void): void {
    if (stream === null) return
    createInterface({ input: stream }).on('line', (text) => {
      line(text)
      this.#tail.push(text)
      if (this.#tail.length > TAIL_LINES) this.#tail.shift()
      this.#changed()
    })
  }

  #finish(resolve: () => void): void {
    this.#hasEnded = true
    resolve()
    this.#changed()
  }

  #changed(): void {
    for (const listener of [...this.#onChange]) listener()
  }

  /** The first value that `look` finds, looking again at every line and at the end of the process. */
  #when<T>(look: () => T | undefined, { timeoutMs, signal }: WaitOptions): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer)
        this.#onChange.delete(check)
        signal?.removeEventListener('abort', abort)
        act()
      }
      const fail = (text: string) => settle(() => reject(new ProcessError(`${this.name} ${text}`)))
      const abort = () => fail('was interrupted')
      const timer = setTimeout(() => fail(`said nothing for ${timeoutMs / 1000} s`), timeoutMs)
      const check = () => {
        const found = look()
        if (found !== undefined) settle(() => resolve(found))
        else if (this.#hasEnded) fail('ended too early')
      }
      this.#onChange.add(check)
      signal?.addEventListener('abort', abort)
      if (signal?.aborted) abort()
      else check()
    })
  }
}

/** Starts processes and remembers them. */
export class LocalProcesses {
  readonly #started: LocalProcess[] = []

  start(options: ProcessOptions): LocalProcess {
    const started = new LocalProcess(options)
    this.#started.push(started)
    return started
  }

  /** Runs a process to its end, `input` as its standard input; returns what it wrote to standard output. */
  async run(options: ProcessOptions & WaitOptions & { readonly input?: string }): Promise<string> {
    const run = this.start(options)
    if (options.input !== undefined) run.write(options.input)
    run.end()
    await run.success(options)
    this.#started.splice(this.#started.indexOf(run), 1)
    return run.output.join('\n')
  }

  /** The processes that were started and not run to success, in order of start. */
  get all(): readonly LocalProcess[] {
    return this.#started
  }

  /** Stops what still runs, newest first. */
  async stop(): Promise<void> {
    for (const started of this.#started.toReversed()) await started.stop()
  }
}

/** This environment without what would lead a process to somebody's own account or inspector. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:KITH_|NODE_OPTIONS$)/.test(name)
  )
  return Object.fromEntries(kept)
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined)
    signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
}
