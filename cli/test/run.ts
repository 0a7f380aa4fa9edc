// Runs a command in this process as a test sees it: words and input in, output, errors and exit code out.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import type { FullScreen, LineEditor } from '../src/command.ts'
import type { FileSettings } from '../src/config/settings.ts'
import type { Engine, SecretSource } from '../src/engine.ts'
import { runCli } from '../src/main.ts'

const folders: string[] = []

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

/** A folder that is removed after the test. */
export async function temporaryHome(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kith-cli-'))
  folders.push(folder)
  return folder
}

export const silentLog = { debug() {}, info() {}, warn() {}, error() {} }

export interface RunOptions {
  readonly home: string
  readonly engine: Engine
  /** Chunks of standard input; a promise holds back the rest. */
  readonly stdin?: AsyncIterable<Uint8Array> | readonly (string | Uint8Array)[]
  readonly env?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  readonly secrets?: SecretSource
  readonly file?: FileSettings
  readonly isTerminal?: boolean
  readonly editor?: LineEditor
  readonly fullScreen?: FullScreen
  /** Called with everything written so far. */
  readonly onOutput?: (stdout: string) => void
}

export interface RunResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  /** The lines of standard output as JSON. */
  json(): unknown[]
}

export const noSecrets: SecretSource = { given: async () => undefined, ask: async () => undefined }

export async function run(argv: readonly string[], options: RunOptions): Promise<RunResult> {
  let stdout = ''
  let stderr = ''
  const { home, env = {}, isTerminal = false } = options
  const code = await runCli({
    argv,
    env,
    version: '0.0.0',
    stdin: { isTerminal, bytes: bytesOf(options.stdin ?? []) },
    stdout: {
      isTerminal,
      async write(text) {
        stdout += text
        options.onOutput?.(stdout)
      }
    },
    stderr: {
      isTerminal,
      async write(text) {
        stderr += text
      }
    },
    signal: options.signal ?? new AbortController().signal,
    engine: async () => options.engine,
    log: async () => silentLog,
    defaultHome: home,
    resolvePath: (given) => given,
    configFile: async () => options.file ?? { path: '/nowhere/config.toml', values: {} },
    secrets: () => options.secrets ?? noSecrets,
    editor: async () => options.editor,
    fullScreen: () => options.fullScreen
  })
  return {
    code,
    stdout,
    stderr,
    json: () =>
      stdout
        .trim()
        .split('\n')
        .map((text) => JSON.parse(text))
  }
}

async function* bytesOf(
  chunks: AsyncIterable<Uint8Array> | readonly (string | Uint8Array)[]
): AsyncIterable<Uint8Array> {
  for await (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
}
