// Where the account lives by default: the user's data folder (XDG Base Directory Specification).
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

/** Absolute; nothing is created. Relative XDG paths are ignored, as that specification says. */
export function defaultHome({ XDG_DATA_HOME: data }: NodeJS.ProcessEnv): string {
  if (data !== undefined && isAbsolute(data)) return join(data, 'kith')
  return join(homedir(), '.local', 'share', 'kith')
}
