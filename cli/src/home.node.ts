// Where the account lives: --home, else KITH_HOME, else the user's data folder (XDG Base Directory Specification).
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'

/** Absolute path of the home; nothing is created. Relative XDG paths are ignored, as that specification says. */
export function resolveHome(given: string | undefined, env: NodeJS.ProcessEnv): string {
  const explicit = given ?? env.KITH_HOME
  if (explicit !== undefined && explicit !== '') return resolve(explicit)
  const data = env.XDG_DATA_HOME
  if (data !== undefined && isAbsolute(data)) return join(data, 'kith')
  return join(homedir(), '.local', 'share', 'kith')
}
