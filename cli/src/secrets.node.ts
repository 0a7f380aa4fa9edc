// Where a passphrase comes from: a file, the environment, or the terminal without echo.
import { open } from 'node:fs/promises'
import type { ReadStream } from 'node:tty'
import type { SecretSource } from './engine.ts'
import { CommandError } from './errors.ts'

/** Longest passphrase; a file of this size was not meant to be one. */
const PASSPHRASE_BYTES_MAX = 4_096

export function createSecrets(options: {
  file: string | undefined
  env: Readonly<Record<string, string | undefined>>
  input: ReadStream
  /** Prompts go here, so that standard output holds data only. */
  prompt: (text: string) => void
}): SecretSource {
  const { file, env, input, prompt } = options
  return {
    async given() {
      if (file !== undefined) return readSecretFile(file)
      const fromEnvironment = env.KITH_PASSPHRASE
      return fromEnvironment === undefined || fromEnvironment === '' ? undefined : fromEnvironment
    },
    async ask(question) {
      if (input.isTTY !== true) return undefined
      prompt(question)
      try {
        return await readHidden(input)
      } finally {
        prompt('\n')
      }
    }
  }
}

/** The file without its last line break. */
async function readSecretFile(file: string): Promise<string> {
  const handle = await open(file).catch((error: NodeJS.ErrnoException) => {
    const why =
      error.code === 'ENOENT' ? 'It does not exist.' : `It cannot be read (${error.code}).`
    throw new CommandError('passphrase-needed', `The passphrase file ${file} is of no use. ${why}`)
  })
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(PASSPHRASE_BYTES_MAX + 1))
    const text = buffer.toString('utf8', 0, bytesRead).replace(/\r?\n$/, '')
    if (bytesRead > PASSPHRASE_BYTES_MAX || text === '') {
      const why = text === '' ? 'It is empty.' : `It is longer than ${PASSPHRASE_BYTES_MAX} bytes.`
      throw new CommandError(
        'passphrase-needed',
        `The passphrase file ${file} is of no use. ${why}`
      )
    }
    return text
  } finally {
    await handle.close()
  }
}

const ENTER: ReadonlySet<string> = new Set(['\r', '\n'])
const BACKSPACE: ReadonlySet<string> = new Set(['\b', '\u007F'])
const CTRL_C = '\u0003'
const CTRL_D = '\u0004'

/** One line in raw mode; nothing of it is shown. */
function readHidden(input: ReadStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let characters: string[] = []
    const decoder = new TextDecoder()
    const finish = (settle: () => void) => {
      input.off('data', onData)
      input.off('end', onEnd)
      input.setRawMode(false)
      input.pause()
      settle()
    }
    const onEnd = () => finish(() => reject(new CommandError('interrupted', 'No passphrase.')))
    const onData = (chunk: Uint8Array) => {
      for (const character of decoder.decode(chunk, { stream: true })) {
        if (ENTER.has(character)) return finish(() => resolve(characters.join('')))
        if (character === CTRL_C || (character === CTRL_D && characters.length === 0))
          return onEnd()
        if (BACKSPACE.has(character)) characters = characters.slice(0, -1)
        else if (characters.length < PASSPHRASE_BYTES_MAX) characters.push(character)
      }
    }
    input.setRawMode(true)
    input.on('data', onData)
    input.on('end', onEnd)
    input.resume()
  })
}
