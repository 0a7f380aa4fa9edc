// Settings: which source outranks which, and what is said of wrong ones.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { configPath, loadFile } from '../../src/config/file.node.ts'
import { readFileSettings, resolveSettings, type Sources } from '../../src/config/settings.ts'
import { MemoryWorld } from '../memory-engine.ts'
import { run, temporaryHome } from '../run.ts'

const sources = (given: Partial<Sources> = {}): Sources => ({
  options: {},
  env: {},
  file: { path: '/c.toml', values: {} },
  defaults: { home: '/default', color: 'auto' },
  ...given
})

describe('a setting', () => {
  it('comes from the option, else the environment, else the file, else the default', () => {
    const file = { path: '/c.toml', values: { home: '/file' } }
    const env = { KITH_HOME: '/env' }
    const home = (given: Partial<Sources>) => resolveSettings(sources(given)).home
    expect(home({})).toEqual({ value: '/default', origin: 'default' })
    expect(home({ file })).toEqual({ value: '/file', origin: 'file' })
    const fromEnv = { value: '/env', origin: 'environment', variable: 'KITH_HOME' }
    expect(home({ file, env })).toEqual(fromEnv)
    const all = { file, env, options: { home: '/option' } }
    expect(home(all)).toEqual({ value: '/option', origin: 'option' })
    expect(home({ env: { KITH_HOME: '' } }).origin).toBe('default')
  })

  it('that is no choice is refused with its place', () => {
    const color = (given: Partial<Sources>) => () => resolveSettings(sources(given)).color
    const plain = { value: 'never', origin: 'environment', variable: 'NO_COLOR' }
    expect(color({ env: { NO_COLOR: '1' } })()).toEqual(plain)
    expect(color({ options: { color: 'pink' } })).toThrow('--color is one of auto, never, always')
    expect(color({ env: { KITH_COLOR: 'pink' } })).toThrow('KITH_COLOR is one of')
    const file = { path: '/c.toml', values: { color: 'pink' } }
    expect(color({ file })).toThrow('"color" in /c.toml is one of')
  })
})

describe('the file', () => {
  it('is where XDG says, or where KITH_CONFIG says', () => {
    expect(configPath({ XDG_CONFIG_HOME: '/x' })).toBe('/x/kith/config.toml')
    expect(configPath({ XDG_CONFIG_HOME: 'relative', HOME: '/h' })).toMatch(/\.config\/kith/)
    expect(configPath({ KITH_CONFIG: '/other.toml', XDG_CONFIG_HOME: '/x' })).toBe('/other.toml')
  })

  it.each([
    ['home = 5', 'has to be a text'],
    ['homes = "/x"', 'no setting'],
    ['home = "here"', 'an absolute path'],
    ['passphrase_file = "~/secret"', 'an absolute path'],
    ['home = ', 'no TOML'],
    ['[home]\na = 1', 'has to be a text'],
    ['http = 77.5', 'has to be a text']
  ])('with %j is refused with its path', async (text, words) => {
    const folder = await temporaryHome()
    await mkdir(join(folder, 'kith'))
    const path = join(folder, 'kith', 'config.toml')
    await writeFile(path, text)
    const loading = loadFile({ XDG_CONFIG_HOME: folder })
    await expect(loading).rejects.toMatchObject({ code: 'bad-config' })
    await expect(loading).rejects.toThrow(words)
    await expect(loading).rejects.toThrow(path)
  })

  it('may be missing, unless KITH_CONFIG names it', async () => {
    const folder = await temporaryHome()
    expect((await loadFile({ XDG_CONFIG_HOME: folder })).values).toEqual({})
    const named = loadFile({ KITH_CONFIG: join(folder, 'none.toml') })
    await expect(named).rejects.toThrow('KITH_CONFIG names')
  })

  it('takes a port as a number', () => {
    expect(readFileSettings('/c.toml', { http: 7788 }).values).toEqual({ http: '7788' })
  })
})

it('kith config show says what is in force and why', async () => {
  const home = await temporaryHome()
  const options = {
    home,
    engine: new MemoryWorld(),
    env: { KITH_HTTP: '7788' },
    file: { path: '/c.toml', values: { color: 'never' } }
  }
  const shown = await run(['config', 'show', '--origin', '--home', '/given'], options)
  expect([shown.code, shown.stderr]).toEqual([0, 'file: /c.toml\n'])
  expect(shown.stdout).toBe(
    'home = "/given"  # option\n# passphrase_file is not set  # default\n' +
      'color = "never"  # file\nhttp = "7788"  # environment (KITH_HTTP)\n'
  )
  const json = await run(['config', 'show', '--json'], options)
  expect(json.json()).toMatchObject([{ key: 'home', value: home, origin: 'default' }, {}, {}, {}])
})
