// Adding a device asks for the passphrase again: an unlocked screen must not be enough to take an account along.
import type { Messenger } from '../messenger.ts'
import { readSecrets } from './home.node.ts'

/** The messenger, which from now on starts a link only with the passphrase of its key file, if that has one. */
export function guardLinks(messenger: Messenger, home: string): Messenger {
  const start = messenger.startLink.bind(messenger)
  messenger.startLink = async (options) => {
    await readSecrets(home, options.passphrase)
    return await start({})
  }
  return messenger
}
