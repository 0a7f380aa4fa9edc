// What a socket server in a test offers: the real commands, over the messenger given.
import type { MessengerApi } from '@kith/node'
import { systemClock } from '../../src/clock.ts'
import { COMMANDS, NOUNS } from '../../src/commands/index.ts'
import { resolveSettings } from '../../src/config/settings.ts'
import type { CommandHost } from '../../src/rpc/command-methods.ts'
import { silentLog } from '../run.ts'

/** A host without a home: its commands have an account and no engine. */
export function hostOf(api: MessengerApi): CommandHost {
  return {
    table: { commands: COMMANDS, nouns: NOUNS },
    home: '/nowhere',
    settings: resolveSettings({
      options: {},
      env: {},
      file: { path: '', values: {} },
      defaults: { home: '/nowhere', color: 'auto' }
    }),
    configFile: '/nowhere/config.toml',
    clock: systemClock,
    log: silentLog,
    engine: () => Promise.reject(new Error('no engine')),
    api
  }
}
