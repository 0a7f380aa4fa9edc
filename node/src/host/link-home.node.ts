// A home folder that a link is filling: marked, so that what a killed process left half-made can be told from what
// belongs to somebody, and cleared away.
import { readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../api.ts'
import { createHome, discardAccount, hasAccount, storeFolderOf } from './home.node.ts'

/** Holds the id of the process that links; a store beside it without a key file is of no use to anybody. */
const MARKER = 'linking'

/** Makes an empty home of the folder. Throws UserError `link-busy` or `home-not-empty`, and has changed nothing. */
export async function prepareHome(home: string): Promise<void> {
  await createHome(home)
  const marker = join(home, MARKER)
  const left = await readFile(marker, 'utf8').catch(() => undefined)
  if (left !== undefined && isRunning(Number(left))) {
    throw new UserError('link-busy', `Another process is linking a device in ${home}.`, {
      hint: 'End it, or use another folder with --home.'
    })
  }
  if (left !== undefined && !(await hasAccount(home))) await discardAccount(home)
  if (await exists(storeFolderOf(home))) {
    throw new UserError('home-not-empty', `There is a store in ${home}, without its keys.`, {
      hint: 'Put its key file back, or use another folder with --home.'
    })
  }
  await writeFile(marker, `${process.pid}`, { mode: 0o600 })
}

/** The link is done: the home is an account's. */
export async function releaseHome(home: string): Promise<void> {
  await rm(join(home, MARKER), { force: true })
}

/** Leaves nothing of a link that did not succeed. Only after `prepareHome`. */
export async function discardHome(home: string): Promise<void> {
  await discardAccount(home)
  await releaseHome(home)
  await rmdir(home).catch(() => {
    // Something of the user's lies in it: that stays.
  })
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false
  )
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // It exists, and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
