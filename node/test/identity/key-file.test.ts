// The key file: what it refuses to write, what it refuses to read, and what it says then.
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  createKeyFile,
  keyFileExists,
  keyFileNeedsPassphrase,
  readKeyFile
} from '../../src/identity/key-file.node.ts'
import { createNodeSecrets } from '../../src/identity/keys.ts'
import { systemRandom } from '../../src/kernel/random.ts'

const secrets = createNodeSecrets(systemRandom)

describe('the key file', () => {
  let folder: string
  let path: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kith-key-file-'))
    path = join(folder, 'home', 'keys.json')
  })

  afterEach(() => rm(folder, { recursive: true }))

  test('gives back the secrets it was made of', async () => {
    await createKeyFile(path, secrets)
    expect(await readKeyFile(path)).toEqual(secrets)
    expect(await keyFileNeedsPassphrase(path)).toBe(false)
  })

  test('gives them back for its passphrase, in whichever normal form that is typed', async () => {
    await createKeyFile(path, secrets, 'caf\u00e9 am Fluss')
    expect(await readKeyFile(path, 'cafe\u0301 am Fluss')).toEqual(secrets)
    expect(await keyFileNeedsPassphrase(path)).toBe(true)
  })

  test('does not show a secret once there is a passphrase', async () => {
    await createKeyFile(path, secrets, 'a good one')
    const text = await readFile(path, 'utf8')
    for (const secret of [secrets.deviceSeed, secrets.storeKey]) {
      expect(text).not.toContain(Buffer.from(secret).toString('base64').slice(0, 16))
    }
  })

  test('is readable by its owner alone, in a folder of its owner alone', async () => {
    await createKeyFile(path, secrets)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await stat(join(folder, 'home'))).mode & 0o777).toBe(0o700)
  })

  test('leaves nothing else behind', async () => {
    await createKeyFile(path, secrets)
    expect(await readdir(join(folder, 'home'))).toEqual(['keys.json'])
  })

  test('is never written over another', async () => {
    await createKeyFile(path, secrets)
    const other = createNodeSecrets(systemRandom)
    await expect(createKeyFile(path, other)).rejects.toMatchObject({ code: 'key-file-exists' })
    expect(await readKeyFile(path)).toEqual(secrets)
    expect(await readdir(join(folder, 'home'))).toEqual(['keys.json'])
  })

  test('of two that are written at once one is refused and the other whole', async () => {
    const both = [createNodeSecrets(systemRandom), createNodeSecrets(systemRandom)]
    const outcomes = await Promise.allSettled(both.map((each) => createKeyFile(path, each)))
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    const winner = both[outcomes.findIndex(({ status }) => status === 'fulfilled')]
    expect(await readKeyFile(path)).toEqual(winner)
    expect(await readdir(join(folder, 'home'))).toEqual(['keys.json'])
  })

  test('is not written where others may write', async () => {
    await mkdir(join(folder, 'home'))
    await chmod(join(folder, 'home'), 0o777)
    await expect(createKeyFile(path, secrets)).rejects.toMatchObject({
      code: 'folder-permissions',
      hint: `chmod 700 ${join(folder, 'home')}`
    })
  })

  test.each([0o640, 0o604, 0o660, 0o644])(
    'with mode %o is refused, with the command that helps',
    async (mode) => {
      await createKeyFile(path, secrets)
      await chmod(path, mode)
      await expect(readKeyFile(path)).rejects.toMatchObject({
        name: 'UserError',
        code: 'key-file-permissions',
        hint: `chmod 600 ${path}`
      })
    }
  )

  test('that is not there is missed', async () => {
    expect(await keyFileExists(path)).toBe(false)
    await expect(readKeyFile(path)).rejects.toMatchObject({ code: 'key-file-missing' })
  })

  test('tells a wrong passphrase, a missing and an empty one apart', async () => {
    await createKeyFile(path, secrets, 'right')
    await expect(readKeyFile(path, 'wrong')).rejects.toMatchObject({ code: 'wrong-passphrase' })
    await expect(readKeyFile(path)).rejects.toMatchObject({ code: 'passphrase-needed' })
    await expect(readKeyFile(path, '')).rejects.toMatchObject({ code: 'passphrase-empty' })
    await expect(createKeyFile(`${path}2`, secrets, '')).rejects.toMatchObject({
      code: 'passphrase-empty'
    })
  })

  test('from a later version is refused as such', async () => {
    await createKeyFile(path, secrets)
    const text = await readFile(path, 'utf8')
    await writeFile(path, text.replace('"version": 1', '"version": 2'))
    await expect(readKeyFile(path)).rejects.toMatchObject({ code: 'key-file-version' })
  })

  test.each([
    ['plain', undefined],
    ['wrapped', 'right']
  ])(
    'that is %s and damaged anywhere is called damaged, never opened as another',
    async (_, passphrase) => {
      await createKeyFile(path, secrets, passphrase)
      const text = await readFile(path, 'utf8')
      for (let position = 0; position < text.length; position += 1) {
        const changed = text[position] === 'x' ? 'y' : 'x'
        const damaged = [
          text.slice(0, position),
          text.slice(0, position) + changed + text.slice(position + 1)
        ]
        for (const content of damaged) {
          await writeFile(path, content)
          const outcome = await readKeyFile(path, 'any').catch((error: unknown) => error)
          // A cut that only loses the line end is no damage.
          if (content === text.trimEnd()) continue
          expect(outcome, JSON.stringify(content)).toMatchObject({ code: 'key-file-corrupt' })
        }
      }
    }
  )

  test.each(['', 'null', '[]', '{}', '"keys"', '{"version":1,"plain":null,"wrapped":null}', '0'])(
    'that holds %s is called damaged',
    async (content) => {
      await createKeyFile(path, secrets)
      await writeFile(path, content)
      await expect(readKeyFile(path)).rejects.toMatchObject({ code: 'key-file-corrupt' })
    }
  )

  test('of a size no key file has is not read', async () => {
    await createKeyFile(path, secrets)
    await writeFile(path, ' '.repeat(1_000_000))
    await expect(readKeyFile(path)).rejects.toMatchObject({ code: 'key-file-corrupt' })
  })
})
