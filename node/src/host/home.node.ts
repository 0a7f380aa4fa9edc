// A home folder: the key file and the store of one account's device on this machine.
import { mkdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../api.ts'
import { readKeyFile } from '../identity/key-file.node.ts'
import type { NodeSecrets } from '../identity/keys.ts'
import { nodePrimitives, openLevelStore } from '../kernel/host/index.ts'
import {
  type Failpoint,
  type Log,
  type SealedStore,
  StoreError,
  sealStore,
  systemRandom
} from '../kernel/index.ts'

/** Files of a home; both in a folder only its owner may enter. */
export const KEY_FILE = 'keys.json'
export const STORE_FOLDER = 'store'

export const keyFileOf = (home: string): string => join(home, KEY_FILE)
export const storeFolderOf = (home: string): string => join(home, STORE_FOLDER)

/** Makes the folder, for its owner alone. */
export async function createHome(home: string): Promise<void> {
  await mkdir(home, { recursive: true, mode: 0o700 })
}

/** Whether the home holds a key file. */
export async function hasAccount(home: string): Promise<boolean> {
  try {
    await stat(keyFileOf(home))
    return true
  } catch {
    return false
  }
}

/** Undoes a creation that did not succeed: nothing of it has been used anywhere. */
export async function discardAccount(home: string): Promise<void> {
  await rm(keyFileOf(home), { force: true })
  await rm(storeFolderOf(home), { force: true, recursive: true })
}

/** Reads the secrets. Throws UserError `no-account`, `wrong-passphrase`, `passphrase-needed`, `key-file-…`. */
export async function readSecrets(home: string, passphrase?: string): Promise<NodeSecrets> {
  if (!(await hasAccount(home))) {
    throw new UserError('no-account', `There is no account in ${home}.`, {
      hint: 'kith account create --relay <join link> --name <your name>'
    })
  }
  return await readKeyFile(keyFileOf(home), passphrase)
}

/**
 * Throws UserError `store-missing` when there are keys and no store: opening would make an empty one, and whoever
 * took it for the account's would send as if nothing had ever been said.
 */
export async function requireStore(home: string): Promise<void> {
  try {
    await stat(storeFolderOf(home))
  } catch (cause) {
    throw new UserError('store-missing', `The store of the account in ${home} is gone.`, {
      hint: 'Check that its disk is mounted, or put a copy back. The keys are still there: keep them.',
      cause
    })
  }
}

/** Opens the sealed store. Throws UserError `store-in-use`, `store-damaged`, `store-missing` or `store-failed`. */
export async function openHomeStore(
  home: string,
  { secrets, log, failpoint }: { secrets: NodeSecrets; log: Log; failpoint?: Failpoint | undefined }
): Promise<SealedStore> {
  try {
    const store = await openLevelStore({ folder: storeFolderOf(home), log, failpoint })
    try {
      return await sealStore(store, {
        key: secrets.storeKey,
        primitives: nodePrimitives,
        random: systemRandom
      })
    } catch (error) {
      await store.close()
      throw error
    }
  } catch (error) {
    throw error instanceof StoreError ? explain(error, home) : error
  }
}

/** A store's failure in the words of somebody who has to do something about it. */
export function explain(error: StoreError, home: string): UserError {
  const options = { cause: error }
  switch (error.code) {
    case 'in-use':
      return new UserError(
        'store-in-use',
        `The store in ${home} is in use by ${error.holder ?? 'another process'}.`,
        { hint: 'End that process, or use it: commands share its store by themselves.', ...options }
      )
    case 'corrupt':
    case 'missing':
      return new UserError(
        error.code === 'corrupt' ? 'store-damaged' : 'store-missing',
        `The store in ${home} is not what was written: ${error.message}. Nothing was changed.`,
        {
          hint: `Copy ${home} to a safe place before anything else, check the disk, and put a good copy back.`,
          ...options
        }
      )
    case 'key':
      return new UserError('store-key', `The store in ${home} belongs to other keys.`, {
        hint: `Put back the ${KEY_FILE} that this store was made with.`,
        ...options
      })
    default:
      return new UserError('store-failed', `The store in ${home} failed: ${error.message}.`, {
        hint: 'Check free space and the disk, then try again. What was acknowledged is kept.',
        ...options
      })
  }
}
