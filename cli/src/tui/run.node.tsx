// Runs the full-screen terminal on a real one: opens the account, draws with ink, gives the terminal to an editor and takes
// it back, and leaves it as it was.
import { type Instance, render } from 'ink'
import { pause } from '../clock.ts'
import type { Context, FullScreen, Session } from '../command.ts'
import { failureOf } from '../errors.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { line } from '../output.ts'
import { App } from './app.tsx'
import { editorOf, writeInEditor } from './editor.node.ts'
import { EMPTY, insert } from './model/draft.ts'
import { initial, type Model } from './model/model.ts'
import { RELAY_PROMPT } from './model/welcome.ts'
import { Program } from './program.ts'
import { readRecord, type TerminalRecord } from './record.node.ts'
import { copyThrough, keepPanesApart, sizeOf, takeTerminal } from './terminal.node.ts'
import type { ThemeName } from './theme.ts'

/** Longest wait at the end for texts that are just being stored; that takes milliseconds. */
const SETTLE_MS = 5_000
/** Changes within this time are one drawing: too short to be felt by who types, long enough for a flood of messages. */
const FRAME_MS = 10
/** The record is written this long after a change, so that a burst of messages writes it once. */
const REMEMBER_MS = 1_000

export interface RunOptions {
  readonly screen: FullScreen
  /** Asked for on the command line; goes before the setting `color` and the record. */
  readonly theme: ThemeName | undefined
}

/** Until the person leaves. Throws what opening the account throws, before the screen is taken. */
export async function runFullScreen(context: Context, options: RunOptions): Promise<ExitCode> {
  const session = await openAccount(context)
  const record = await readRecord(context.home)
  return await new Running(context, { ...options, session, record }).run()
}

/** Undefined when there is no account yet. */
async function openAccount(context: Context): Promise<Session | undefined> {
  try {
    return await context.open()
  } catch (error) {
    if (failureOf(error).code === 'no-account') return undefined
    throw error
  }
}

type RunningOptions = RunOptions & {
  readonly session: Session | undefined
  readonly record: TerminalRecord
}

class Running {
  private readonly context: Context
  private readonly options: RunningOptions
  private readonly program: Program
  private readonly ending = new AbortController()
  private leave: (() => void) | undefined
  private fail: (error: unknown) => void = () => undefined
  private cancelRemember: (() => void) | undefined
  private creating: Promise<void> | undefined
  private writing = Promise.resolve()

  constructor(context: Context, options: RunningOptions) {
    this.context = context
    this.options = options
    const { clock, startedAtMs } = context
    this.program = new Program({
      model: this.beginning(),
      clock,
      startedAtMs,
      signal: AbortSignal.any([context.signal, this.ending.signal]),
      outside: {
        now: () => clock.now(),
        createAccount: (account) => this.createAccount(account),
        open: async () => this.program.attach(await context.open()),
        editor: (text) => this.editor(text),
        copy: (text) => copyThrough(options.screen.output, text),
        remember: () => this.remember(),
        quit: () => this.ending.abort()
      }
    })
  }

  private beginning(): Model {
    const { screen, theme, session, record } = this.options
    const hasColors = theme !== undefined || this.context.settings.color.value !== 'never'
    const model = initial({
      ...sizeOf(screen.output),
      theme: theme ?? (hasColors ? (record.theme ?? 'dark') : 'plain'),
      hasColors,
      hasAccount: session !== undefined,
      seenBefore: record.seenBefore
    })
    return session === undefined ? { ...model, prompt: RELAY_PROMPT } : model
  }

  async run(): Promise<ExitCode> {
    const { session } = this.options
    const { signal } = this.context
    const over = new Promise<void>((resolve, reject) => {
      this.fail = reject
      this.ending.signal.addEventListener('abort', () => resolve(), { once: true })
      signal.addEventListener('abort', () => resolve(), { once: true })
      if (signal.aborted) resolve()
    })
    const giveBack = this.options.screen.holdDiagnostics((text) => {
      this.program.dispatch({ type: 'status', text: line`${text.trim()}`, isError: true })
    })
    // Said after the terminal is given back, where it can be read.
    const onCrash = (error: unknown) => this.fail(error)
    process.on('uncaughtException', onCrash).on('unhandledRejection', onCrash)
    try {
      this.show()
      if (session !== undefined) this.program.attach(session)
      await over
    } finally {
      this.ending.abort()
      this.hide()
      giveBack()
      process.off('uncaughtException', onCrash).off('unhandledRejection', onCrash)
      await this.settle()
    }
    return EXIT.ok
  }

  /** What was begun ends in order: an account is made or not made, a text is stored or refused in words. */
  private async settle(): Promise<void> {
    const { clock, output, signal } = this.context
    await this.creating
    await Promise.race([this.program.settled(), pause(clock, SETTLE_MS, signal)])
    await this.writeRecord()
    const { status } = this.program.model
    if (status?.isError === true) await output.notice(status.text)
  }

  private show(): void {
    const { input, output } = this.options.screen
    const { program } = this
    const draw = () => <App model={program.model} />
    const ink: Instance = render(draw(), {
      stdin: input,
      stdout: keepPanesApart(output),
      alternateScreen: true,
      incrementalRendering: true,
      // Known to be a terminal; ink would not draw at all where it takes the machine for a build server.
      interactive: true,
      exitOnCtrlC: false,
      patchConsole: false
    })
    // Only an error ends ink by itself.
    ink.waitUntilExit().catch((error: unknown) => this.fail(error))
    const restore = takeTerminal(input, output, {
      clock: this.context.clock,
      keyboard: {
        onKey: (key) => program.dispatch({ type: 'key', key, nowMs: this.context.clock.now() }),
        onResize: (size) => program.dispatch({ type: 'resize', ...size }),
        onEnd: () => this.ending.abort()
      }
    })
    let cancelDraw: (() => void) | undefined
    const unwatch = program.watch(() => {
      cancelDraw ??= this.context.clock.schedule(FRAME_MS, () => {
        cancelDraw = undefined
        ink.rerender(draw())
      })
    })
    this.leave = () => {
      unwatch()
      cancelDraw?.()
      restore()
      ink.unmount()
    }
  }

  private hide(): void {
    this.leave?.()
    this.leave = undefined
  }

  private async editor(text: string): Promise<string | undefined> {
    const { screen } = this.options
    const editor = editorOf(screen.env)
    this.hide()
    try {
      const fits = (written: string) => insert(EMPTY, written) !== undefined
      return await writeInEditor(text, { editor, env: screen.env, fits })
    } finally {
      // Its size may have changed meanwhile.
      this.program.dispatch({ type: 'resize', ...sizeOf(screen.output) })
      if (!this.ending.signal.aborted) this.show()
    }
  }

  private async createAccount({ relay, name }: { relay: string; name: string }): Promise<string> {
    const { home, log, secrets, output } = this.context
    const engine = await this.context.engine()
    const passphrase = await secrets.given()
    const signal = AbortSignal.any([this.context.signal, this.ending.signal])
    const created = engine.createAccount({
      home,
      relay,
      name,
      log,
      signal,
      ...(passphrase === undefined ? {} : { passphrase })
    })
    this.creating = created.then(
      async ({ recoveryWords }) => {
        // Made at the moment of leaving: there is no screen any more to show them on.
        if (signal.aborted) await output.notice(line`Recovery words: ${recoveryWords}`)
      },
      () => undefined
    )
    return (await created).recoveryWords
  }

  private remember(): void {
    this.cancelRemember ??= this.context.clock.schedule(REMEMBER_MS, () => {
      this.cancelRemember = undefined
      void this.writeRecord()
    })
  }

  /** Not worth an error at the end: the next start shows more as unread. */
  private writeRecord(): Promise<void> {
    this.cancelRemember?.()
    this.cancelRemember = undefined
    this.writing = this.writing.then(async () => {
      if (this.program.model.account === undefined) return
      await this.options.record.write(this.program.model).catch((error: unknown) => {
        this.context.log.warn('terminal record not written', { why: failureOf(error).code })
      })
    })
    return this.writing
  }
}
