import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openHomeStore } from '../../src/host/home.node.ts'
import { openMessenger } from '../../src/host/open.node.ts'
import { createKeyFile } from '../../src/identity/key-file.node.ts'
import { createNodeSecrets } from '../../src/identity/keys.ts'
import { silentLog as log } from '../../src/kernel/log.ts'
import { systemRandom } from '../../src/kernel/random.ts'

const secrets = createNodeSecrets(systemRandom)
let home: string

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'kith-home-'))
  await createKeyFile(join(home, 'keys.json'), secrets)
})
afterEach(() => rm(home, { recursive: true, force: true }))

describe('a home with keys', () => {
  it('and no store is not opened as an empty one, and nothing is made in it', async () => {
    await expect(openMessenger({ home, log })).rejects.toMatchObject({ code: 'store-missing' })
    expect(await readdir(home)).toEqual(['keys.json'])
  })

  it('and a store without an account is not taken for the account’s', async () => {
    await (await openHomeStore(home, { secrets, log })).close()
    await expect(openMessenger({ home, log })).rejects.toMatchObject({ code: 'store-missing' })
  })
})
