// A relay's folder: relay.toml (settings), relay.key (its identity), invite (the token of the join link), store
// and, while it runs, relay.sock (status).
import { access, chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { type Primitives, systemRandom } from '@kith/node/kernel'
import { fromString } from 'uint8arrays/from-string'
import { toString as toText } from 'uint8arrays/to-string'
import { ConfigError, type ReadConfig, type RelayConfig, readConfig } from './config/index.ts'
import { EXIT, OperatorError } from './errors.ts'

const FOLDER_MODE = 0o700
const FILE_MODE = 0o600
export const SEED_BYTES = 32
/** A socket's path must fit 104 bytes on macOS and 108 on Linux. */
const SOCKET_PATH_MAX = 100

export interface HomeFiles {
  readonly home: string
  readonly config: string
  readonly key: string
  readonly invite: string
  readonly store: string
  readonly socket: string
}

/** --home, else KITH_RELAY_HOME, else the user's data folder (XDG Base Directory Specification). */
export function resolveHome(given: string | undefined, env: NodeJS.ProcessEnv): string {
  const explicit = given ?? env.KITH_RELAY_HOME
  if (explicit !== undefined && explicit !== '') return resolve(explicit)
  const data = env.XDG_DATA_HOME
  if (data !== undefined && isAbsolute(data)) return join(data, 'kith-relay')
  return join(homedir(), '.local', 'share', 'kith-relay')
}

/** Absolute paths of a relay's files; nothing is created. */
export function filesOf(home: string, sha256: Primitives['sha256']): HomeFiles {
  const socket = join(home, 'relay.sock')
  const name = toText(sha256(fromString(home, 'utf8')), 'base32')
  return {
    home,
    config: join(home, 'relay.toml'),
    key: join(home, 'relay.key'),
    invite: join(home, 'invite'),
    store: join(home, 'store'),
    socket:
      socket.length <= SOCKET_PATH_MAX ? socket : join(tmpdir(), `kith-${name.slice(0, 24)}.sock`)
  }
}

/** Makes the folder and its first file, the key; refuses a folder that holds a relay. Returns the 32-byte seed. */
export async function createHome(files: HomeFiles): Promise<Uint8Array> {
  await mkdir(files.home, { recursive: true, mode: FOLDER_MODE })
  await chmod(files.home, FOLDER_MODE)
  const seed = systemRandom.bytes(SEED_BYTES)
  try {
    await writeNew(files.key, `${toText(seed, 'base64')}\n`)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
    throw await existing(files, cause)
  }
  return seed
}

/** Creates a file that only its owner reads, on disk when it resolves. Rejects with EEXIST if it is there. */
export async function writeNew(file: string, text: string): Promise<void> {
  await writeFile(file, text, { flag: 'wx', mode: FILE_MODE, flush: true })
}

/** The settings are written last: without them, an earlier `init` did not come to its end. */
async function existing({ home, config }: HomeFiles, cause: unknown): Promise<OperatorError> {
  const isWhole = await access(config).then(
    () => true,
    () => false
  )
  return isWhole
    ? new OperatorError('exists', `A relay is in ${home} already.`, {
        hint: `Type: kith-relay start --home ${home}`,
        cause
      })
    : new OperatorError('unfinished', `The relay in ${home} was not made to the end.`, {
        hint: `Nobody can have used it: remove ${home}, then type: kith-relay init --home ${home}`,
        cause
      })
}

export interface Home {
  readonly files: HomeFiles
  /** 32 bytes, Ed25519 seed */
  readonly seed: Uint8Array
  readonly config: RelayConfig
  /** Empty when registration is open. */
  readonly invite: string
}

/** Reads a folder that `init` made, and settings of the environment over its own. Throws OperatorError. */
export async function readHome(files: HomeFiles, env: NodeJS.ProcessEnv): Promise<Home> {
  const [config, key, invite] = await Promise.all([
    readText(files.config, files),
    readText(files.key, files),
    readText(files.invite, files)
  ])
  return {
    files,
    config: checkConfig(config, files.config, env).config,
    seed: parseSeed(key.trim(), files.key),
    invite: invite.trim()
  }
}

async function readText(file: string, { home }: HomeFiles): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    const isAbsent = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    const message = isAbsent
      ? `There is no relay in ${home} (${file} is missing).`
      : `Cannot read ${file}: ${(cause as Error).message}`
    throw new OperatorError(isAbsent ? 'no-relay' : 'unreadable', message, {
      hint: `Type: kith-relay init --home ${home}`,
      cause
    })
  }
}

/** Reads the settings alone. Throws OperatorError. */
export async function readSettings(files: HomeFiles, env: NodeJS.ProcessEnv): Promise<ReadConfig> {
  return checkConfig(await readText(files.config, files), files.config, env)
}

function checkConfig(text: string, file: string, env: NodeJS.ProcessEnv): ReadConfig {
  try {
    return readConfig(text, env)
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause
    throw new OperatorError('bad-settings', cause.message, {
      hint: `Correct ${file}, then type: kith-relay config check`,
      exitCode: EXIT.usage,
      cause
    })
  }
}

function parseSeed(text: string, file: string): Uint8Array {
  const seed = /^[A-Za-z0-9+/]{43}$/.test(text) ? fromString(text, 'base64') : undefined
  if (seed?.byteLength === SEED_BYTES) return seed
  throw new OperatorError('bad-key', `${file} does not hold a relay key.`, {
    hint: 'Restore it from a backup: a relay with another key is another relay.'
  })
}
