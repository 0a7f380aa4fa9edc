import { chmod, mkdir, rm, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  checkFolder,
  prepareFolder,
  type SocketPlace,
  socketPlace
} from '../../src/socket/path.node.ts'
import { temporaryHome } from '../run.ts'

let place: SocketPlace

beforeEach(async () => {
  place = socketPlace(join(await temporaryHome(), 'y'.repeat(120)))
})

afterEach(() => rm(dirname(place.path), { recursive: true, force: true }))

describe('the folder of a socket outside the home', () => {
  it('is made private', async () => {
    expect(await checkFolder(place)).toBe(false)
    await prepareFolder(place)
    expect(await checkFolder(place)).toBe(true)
  })

  it('is refused when others may enter it', async () => {
    await mkdir(dirname(place.path))
    await chmod(dirname(place.path), 0o755)
    await expect(checkFolder(place)).rejects.toMatchObject({ code: 'socket' })
    await expect(prepareFolder(place)).rejects.toMatchObject({ code: 'socket' })
  })

  it('is refused when it is a link to somewhere else', async () => {
    await symlink(await temporaryHome(), dirname(place.path))
    await expect(checkFolder(place)).rejects.toMatchObject({ code: 'socket' })
    await expect(prepareFolder(place)).rejects.toMatchObject({ code: 'socket' })
  })
})
