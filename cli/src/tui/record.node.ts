// What the full-screen terminal remembers between two runs: the theme, and up to which message each conversation was looked
// at. A small file in the home, outside the sealed store, so it names nobody: conversations are salted hashes.
import { createHash, randomBytes } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Model, SeenBefore } from './model/model.ts'
import { isThemeName, type ThemeName } from './theme.ts'

const FILE = 'terminal.json'
/** A file of 1,000 conversations is a tenth of this. */
const FILE_CHARACTERS_MAX = 1_048_576
const SALT_BYTES = 16
/** Hexadecimal digits; two conversations of one person with the same are not to be expected. */
const HASH_DIGITS = 16

interface Content {
  readonly theme: ThemeName | undefined
  readonly salt: string
  readonly seen: ReadonlyMap<string, number>
}

export interface TerminalRecord {
  readonly theme: ThemeName | undefined
  /** Undefined when there was no record. */
  readonly seenBefore: SeenBefore | undefined
  /** Replaces the file. Throws what the file system throws. */
  write(model: Pick<Model, 'chats' | 'theme' | 'hasColors'>): Promise<void>
}

/** A file that is missing or cannot be understood is as none: it holds nothing that cannot be done without. */
export async function readRecord(home: string): Promise<TerminalRecord> {
  const path = join(home, FILE)
  const text = await readFile(path, 'utf8').catch(() => '')
  const found = parse(text)
  const salt = found?.salt ?? randomBytes(SALT_BYTES).toString('hex')
  const keyOf = (conversation: string): string =>
    createHash('sha256').update(`${salt}/${conversation}`).digest('hex').slice(0, HASH_DIGITS)
  const seen = new Map(found?.seen)
  return {
    theme: found?.theme,
    seenBefore: found && { get: (conversation) => found.seen.get(keyOf(conversation)) },
    async write({ chats, theme, hasColors }) {
      for (const [conversation, chat] of chats) {
        if (chat.seen !== undefined) seen.set(keyOf(conversation), chat.seen)
      }
      // Without colours nothing was chosen.
      const chosen = hasColors ? theme : found?.theme
      const content = { theme: chosen, salt, seen: Object.fromEntries(seen) }
      await writeFile(`${path}.new`, `${JSON.stringify(content)}\n`, { mode: 0o600 })
      await rename(`${path}.new`, path)
    }
  }
}

function parse(text: string): Content | undefined {
  if (text === '' || text.length > FILE_CHARACTERS_MAX) return undefined
  try {
    const { theme, salt, seen } = JSON.parse(text) as Record<string, unknown>
    if (typeof salt !== 'string' || typeof seen !== 'object' || seen === null) return undefined
    const entries = Object.entries(seen).filter(
      (entry): entry is [string, number] => typeof entry[1] === 'number'
    )
    return { theme: isThemeName(theme) ? theme : undefined, salt, seen: new Map(entries) }
  } catch {
    return undefined
  }
}
