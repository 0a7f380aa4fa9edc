// The file of settings: $XDG_CONFIG_HOME/kith/config.toml (XDG Base Directory Specification), or what KITH_CONFIG names.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { CommandError } from '../errors.ts'
import { type FileSettings, readFileSettings } from './settings.ts'

/** A larger file was not meant to be one. */
const FILE_BYTES_MAX = 64 * 1_024

export function configPath(env: NodeJS.ProcessEnv): string {
  const { KITH_CONFIG: explicit, XDG_CONFIG_HOME: xdg } = env
  if (explicit !== undefined && explicit !== '') return resolve(explicit)
  const folder = xdg !== undefined && isAbsolute(xdg) ? xdg : join(homedir(), '.config')
  return join(folder, 'kith', 'config.toml')
}

/** Nothing is set where there is no file. Throws CommandError `bad-config`. */
export async function loadFile(env: NodeJS.ProcessEnv): Promise<FileSettings> {
  const path = configPath(env)
  if (!existsSync(path)) {
    const isAsked = env.KITH_CONFIG !== undefined && env.KITH_CONFIG !== ''
    if (!isAsked) return { path, values: {} }
    throw new CommandError('bad-config', `There is no file ${path}, which KITH_CONFIG names.`)
  }
  if (statSync(path).size > FILE_BYTES_MAX) {
    throw new CommandError('bad-config', `${path} is larger than ${FILE_BYTES_MAX} bytes.`)
  }
  const { parse } = await import('smol-toml')
  const text = readFileSync(path, 'utf8')
  let table: Record<string, unknown>
  try {
    table = parse(text)
  } catch (cause) {
    const why = String((cause as Error).message).split('\n')[0]
    throw new CommandError('bad-config', `${path} is no TOML: ${why}`, { cause })
  }
  return readFileSettings(path, table)
}
