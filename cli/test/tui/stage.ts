// The full screen without a terminal: the program on a messenger in memory, keys as a terminal sends them, and what is drawn.
import { UserError } from '@kith/node'
import { renderToString } from 'ink'
import { createElement } from 'react'
import { onTestFinished } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import type { Session } from '../../src/command.ts'
import { App } from '../../src/tui/index.ts'
import { KeyDecoder } from '../../src/tui/key-decoder.ts'
import { initial, type SeenBefore } from '../../src/tui/model/model.ts'
import { RELAY_PROMPT } from '../../src/tui/model/welcome.ts'
import { Program } from '../../src/tui/program.ts'
import type { MemoryPerson } from '../memory-engine.ts'

export interface Options {
  readonly columns?: number
  readonly rows?: number
  readonly hasColors?: boolean
  readonly seenBefore?: SeenBefore
  /** What comes back from the editor. */
  readonly edited?: string
}

export class TuiStage {
  readonly program: Program
  readonly done: string[] = []
  /** Called when the holder of the store changed. */
  reopen = (): void => undefined
  private readonly decoder = new KeyDecoder()

  /** Without a person there is no account. */
  constructor(person: MemoryPerson | undefined, options: Options = {}) {
    const { columns = 80, rows = 24, hasColors = true, seenBefore, edited } = options
    const ending = new AbortController()
    onTestFinished(() => ending.abort())
    const hasAccount = person !== undefined
    const model = initial({ columns, rows, theme: 'dark', hasColors, hasAccount, seenBefore })
    this.program = new Program({
      model: hasAccount ? model : { ...model, prompt: RELAY_PROMPT },
      clock: systemClock,
      startedAtMs: systemClock.now(),
      signal: ending.signal,
      outside: {
        now: () => 4,
        createAccount: async ({ relay, name }) => {
          this.done.push(`create ${name} at ${relay}`)
          if (!relay.startsWith('kith:join/'))
            throw new UserError('malformed-link', 'No join link.')
          return Array.from({ length: 24 }, (_, index) => `word${index + 1}`).join(' ')
        },
        open: async () => void this.done.push('open'),
        editor: async (text) => (edited === undefined ? undefined : `${text}${edited}`),
        copy: (text) => void this.done.push(`copy ${text}`),
        remember: () => void this.done.push('remember'),
        quit: () => void this.done.push('quit')
      }
    })
    if (person !== undefined) this.program.attach(this.sessionOf(person))
  }

  private sessionOf(person: MemoryPerson): Session {
    return {
      api: person.api(),
      isHolder: true,
      onReopened: (listener) => {
        const before = this.reopen
        this.reopen = () => {
          before()
          listener()
        }
      },
      close: async () => undefined
    }
  }

  /** As a terminal sends them. */
  press(...inputs: readonly string[]): void {
    for (const input of inputs) {
      for (const key of [...this.decoder.push(input), ...this.decoder.flush()]) {
        this.program.dispatch({ type: 'key', key, nowMs: 0 })
      }
    }
  }

  get rows(): string[] {
    const { model } = this.program
    return renderToString(createElement(App, { model }), { columns: model.columns }).split('\n')
  }

  get text(): string {
    return this.rows.join('\n')
  }
}
