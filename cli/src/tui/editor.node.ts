// Writing in the editor of the person's choice: a private file, the editor in front, and its text back.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CommandError } from '../errors.ts'

/** $VISUAL, else $EDITOR; neither is guessed, because not everybody can leave vi. */
export function editorOf(env: Readonly<Record<string, string | undefined>>): string {
  const editor = env.VISUAL || env.EDITOR
  if (editor !== undefined && editor !== '') return editor
  throw new CommandError('usage', 'No editor is set.', { hint: 'export EDITOR=nano' })
}

export interface EditorOptions {
  readonly editor: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Whether a text can be taken back; one that cannot stays in its file. */
  readonly fits: (text: string) => boolean
}

/**
 * The text as the editor left it, without the line break at its end. The file is in a folder of this user alone, in memory
 * where the system has such a place (XDG_RUNTIME_DIR), and removed at the end. Throws when the editor fails.
 */
export async function writeInEditor(
  text: string,
  { editor, env, fits }: EditorOptions
): Promise<string> {
  const folder = await mkdtemp(join(env.XDG_RUNTIME_DIR || tmpdir(), 'kith-message-'))
  const file = join(folder, 'message.txt')
  let isKept = false
  try {
    await writeFile(file, text, { mode: 0o600 })
    // As git does it: the setting may hold options, and only a shell knows how it is quoted.
    const child = spawn('sh', ['-c', `${editor} "$1"`, 'sh', file], { stdio: 'inherit' })
    const [code] = (await once(child, 'close')) as [number | null]
    if (code !== 0) throw new CommandError('failure', 'The editor failed; the text is as it was.')
    const written = (await readFile(file, 'utf8')).replace(/\r?\n$/, '')
    isKept = !fits(written)
    if (!isKept) return written
    throw new CommandError('message-too-long', `That is too long for a message. It is in ${file}.`)
  } finally {
    if (!isKept) await rm(folder, { recursive: true, force: true })
  }
}
