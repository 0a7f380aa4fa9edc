// The token that programs show to the daemon over HTTP: in a file of the home that only its owner reads, made once.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { open, readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { CommandError, failureOf } from '../errors.ts'

const FILE = 'http.token'
const TOKEN_BYTES = 32
const TOKEN = /^[A-Za-z0-9_-]{43}$/

export interface Token {
  readonly path: string
  /** In constant time. */
  matches(given: string): boolean
}

/** Reads the token, or makes one. Throws CommandError `bad-token` for a file that others read, or that is none. */
export async function openToken(home: string): Promise<Token> {
  const path = join(home, FILE)
  const token = (await readToken(path)) ?? (await createToken(path))
  const digest = (text: string): Uint8Array => createHash('sha256').update(text).digest()
  const expected = digest(token)
  return { path, matches: (given) => timingSafeEqual(digest(given), expected) }
}

async function readToken(path: string): Promise<string | undefined> {
  try {
    const { mode } = await stat(path)
    if ((mode & 0o077) !== 0) {
      throw bad(
        `Others may read ${path}.`,
        `rm '${path}', then start the daemon again: it makes another`
      )
    }
    const token = (await readFile(path, 'utf8')).trim()
    if (TOKEN.test(token)) return token
  } catch (error) {
    if (failureOf(error).code === 'ENOENT') return undefined
    throw error
  }
  throw bad(
    `There is no token in ${path}.`,
    `rm '${path}', then start the daemon again: it makes another`
  )
}

async function createToken(path: string): Promise<string> {
  const token = randomBytes(TOKEN_BYTES).toString('base64url')
  const file = await open(`${path}.new`, 'w', 0o600)
  try {
    await file.writeFile(`${token}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
  return token
}

const bad = (message: string, hint: string): CommandError =>
  new CommandError('bad-token', message, { hint })
