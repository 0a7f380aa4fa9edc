// The key file of an installation, `keys.json`: readable by its owner alone, written whole or not at all, and
// never over another one, because what it holds cannot be had again.
import {
  constants,
  type FileHandle,
  link,
  mkdir,
  open,
  rename,
  stat,
  unlink
} from 'node:fs/promises'
import { dirname } from 'node:path'
import { KIB } from '@kith/protocols'
import { toString as toText } from 'uint8arrays/to-string'
import { UserError } from '../api.ts'
import { nodePrimitives } from '../kernel/primitives.node.ts'
import { systemRandom } from '../kernel/random.ts'
import { decodeKeyFile, encodeKeyFile, isWrapped } from './key-file-format.ts'
import type { NodeSecrets } from './keys.ts'

const FILE_MODE = 0o600
const FOLDER_MODE = 0o700
/** Permission bits of group and others. */
const OTHERS = 0o077
const OTHERS_WRITE = 0o022
/** A key file takes 400 bytes; whatever is much larger is another file. */
const KEY_FILE_BYTES_MAX = 16 * KIB
/** Windows keeps access lists instead of mode bits. */
const HAS_MODES = process.platform !== 'win32'
/** File systems without hard links: the new name is then given by renaming. */
const NO_LINKS: readonly (string | undefined)[] = ['EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP']

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code

function exists(path: string): UserError {
  return new UserError('key-file-exists', `There already is a key file: ${path}`, {
    hint: 'Choose another folder with --home, or move the file away if you are sure.'
  })
}

async function prepareFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE })
  const { mode } = await stat(folder)
  if (HAS_MODES && (mode & OTHERS_WRITE) !== 0) {
    throw new UserError('folder-permissions', `Other users may write to ${folder}`, {
      hint: `chmod 700 ${folder}`
    })
  }
}

async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open folders, and orders the change itself.
  if (!HAS_MODES) return
  const handle = await open(folder, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Gives a written file its final name, unless that name is taken. */
async function place(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path)
    await unlink(temporary)
  } catch (error) {
    if (codeOf(error) === 'EEXIST' || (await keyFileExists(path))) throw exists(path)
    if (!NO_LINKS.includes(codeOf(error))) throw error
    await rename(temporary, path)
  }
}

/** Says whether something is at the path. */
export async function keyFileExists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}

/**
 * Writes the secrets to a new file of mode 0600 and waits until file and folder are on the disk. The folder is
 * made, with mode 0700, if need be. Without a passphrase the secrets are protected by the file's mode alone.
 * @throws UserError `key-file-exists`, `folder-permissions`, `passphrase-empty`
 */
export async function createKeyFile(
  path: string,
  secrets: NodeSecrets,
  passphrase?: string
): Promise<void> {
  const folder = dirname(path)
  await prepareFolder(folder)
  if (await keyFileExists(path)) throw exists(path)
  const text = await encodeKeyFile(secrets, {
    passphrase,
    primitives: nodePrimitives,
    random: systemRandom
  })
  const temporary = `${path}.${toText(systemRandom.bytes(8), 'hex')}.tmp`
  const handle = await open(temporary, 'wx', FILE_MODE)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  try {
    await place(temporary, path)
  } finally {
    // Gone already after a success; after a failure no copy of the keys may stay behind.
    await unlink(temporary).catch(() => undefined)
  }
  await syncFolder(folder)
}

async function openKeyFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    throw new UserError('key-file-missing', `There is no key file: ${path}`, {
      hint: 'Create an account first, or name its folder with --home.',
      cause: error
    })
  }
}

async function readText(path: string): Promise<string> {
  const handle = await openKeyFile(path)
  try {
    const { mode, size } = await handle.stat()
    if (HAS_MODES && (mode & OTHERS) !== 0) {
      throw new UserError('key-file-permissions', `Other users may read ${path}`, {
        hint: `chmod 600 ${path}`
      })
    }
    if (size > KEY_FILE_BYTES_MAX) {
      throw new UserError('key-file-corrupt', `Not a key file: ${path}`)
    }
    return await handle.readFile('utf8')
  } finally {
    await handle.close()
  }
}

/**
 * The secrets of the file.
 * @throws UserError `key-file-missing`, `key-file-permissions`, `key-file-corrupt`, `key-file-version`,
 *   `passphrase-needed`, `wrong-passphrase`
 */
export async function readKeyFile(path: string, passphrase?: string): Promise<NodeSecrets> {
  const text = await readText(path)
  return decodeKeyFile(text, { passphrase, primitives: nodePrimitives })
}

/** Says whether `readKeyFile` needs a passphrase. Throws as it does for a file that cannot be read. */
export async function keyFileNeedsPassphrase(path: string): Promise<boolean> {
  return isWrapped(await readText(path), nodePrimitives)
}
