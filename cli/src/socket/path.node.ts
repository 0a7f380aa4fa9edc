// Where the local socket of a home is: in the home, or, when that path is too long for the system, in a private folder
// of the temporary directory. Server and client compute the same place.
import { createHash } from 'node:crypto'
import { lstat, mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { CommandError } from '../errors.ts'

/** sun_path holds 108 bytes on Linux and 104 on macOS, with a final NUL. */
const SOCKET_PATH_BYTES_MAX = 103
const SOCKET_NAME = 'kith.sock'
/** Longest name in that folder: the server binds under it and renames. */
const SOCKET_NAME_NEW = 'kith.sock.new'

export interface SocketPlace {
  readonly path: string
  /** Same folder; a server binds here, so that `path` appears with its final permissions. */
  readonly bindPath: string
  /** Whether the folder is shared ground (the temporary directory) and has to be checked before use. */
  readonly isForeign: boolean
}

function placeIn(folder: string, isForeign: boolean): SocketPlace {
  return { path: join(folder, SOCKET_NAME), bindPath: join(folder, SOCKET_NAME_NEW), isForeign }
}

const fits = (place: SocketPlace): boolean =>
  Buffer.byteLength(place.bindPath) <= SOCKET_PATH_BYTES_MAX

/** `home` is an absolute path. Throws `socket` when even the temporary directory is too deep. */
export function socketPlace(home: string): SocketPlace {
  const inHome = placeIn(home, false)
  if (fits(inHome)) return inHome
  const hash = createHash('sha256').update(home).digest('hex').slice(0, 24)
  const inTemporary = placeIn(join(tmpdir(), `kith-${hash}`), true)
  if (fits(inTemporary)) return inTemporary
  throw new CommandError(
    'socket',
    'The paths of the home and of the temporary folder are too long.',
    {
      hint: 'set TMPDIR to a short path'
    }
  )
}

/** Makes the private folder in the temporary directory, for a server. */
export async function prepareFolder(place: SocketPlace): Promise<void> {
  if (!place.isForeign) return
  await mkdir(dirname(place.path), { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  await checkFolder(place)
}

/**
 * Throws `socket` unless the folder is a real one of this user with mode 0700: somebody else could have made it first
 * and would be told every message. Returns false when there is none.
 */
export async function checkFolder(place: SocketPlace): Promise<boolean> {
  if (!place.isForeign) return true
  const folder = dirname(place.path)
  const found = await lstat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (found === undefined) return false
  const isOurs =
    found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o077) === 0
  if (!isOurs) {
    throw new CommandError('socket', `The folder ${folder} is not a private folder of this user.`, {
      hint: 'remove it, or set TMPDIR to a folder of your own'
    })
  }
  return true
}
