// Commands that need no account: what a link says, and completion scripts that a shell really takes.
import { spawnSync } from 'node:child_process'
import {
  accountIdOf,
  deviceIdOf,
  formatContactLink,
  formatJoinLink,
  relayIdOf
} from '@kith/protocols'
import { beforeEach, describe, expect, it } from 'vitest'
import { COMMANDS } from '../../src/commands/index.ts'
import { MemoryWorld } from '../memory-engine.ts'
import { run, temporaryHome } from '../run.ts'

let home: string
beforeEach(async () => {
  home = await temporaryHome()
})

const kith = (...argv: string[]) => run(argv, { home, engine: new MemoryWorld() })

/** The public key of RFC 8032 §7.1, test 1. */
const KEY = Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex')
const relay = relayIdOf(KEY)
const device = deviceIdOf(KEY)
const account = accountIdOf(new Uint8Array(32).fill(7))
const addresses = ['/ip4/127.0.0.1/tcp/4001']

describe('id parse', () => {
  it('shows what is in a contact link', async () => {
    const relays = [{ relay, addresses }]
    const link = formatContactLink({
      account,
      name: 'alice',
      relays,
      devices: [{ device, addresses }]
    })
    const { code, stdout } = await kith('id', 'parse', link)
    expect(code).toBe(0)
    for (const part of ['contact-link', account, 'alice', relay, ...addresses]) {
      expect(stdout).toContain(part)
    }
    expect((await kith('id', 'parse', link, '--json')).json()).toEqual([
      { type: 'contact-link', account, name: 'alice', relays, devices: [{ device, addresses }] }
    ])
  })

  it.each([
    ['a join link', formatJoinLink({ relay, addresses, invite: 'abc' }), 'join-link'],
    ['an account id', account, 'account'],
    ['the id of a device or relay', device, 'device-or-relay']
  ])('knows %s', async (_, text, type) => {
    expect((await kith('id', 'parse', `  ${text} `, '--json')).json()).toMatchObject([{ type }])
  })

  it.each([
    '',
    'alice',
    'kith:contact/',
    `kith:contact/${account}`,
    'kith:join/x?address=y',
    'a'.repeat(5_000)
  ])('refuses %j in words', async (text) => {
    const { code, stderr, stdout } = await kith('id', 'parse', text)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain('This is no link and no id')
  })

  it('shows nothing that would move the cursor', async () => {
    const link = formatContactLink({ account, name: 'x', relays: [{ relay, addresses }] })
    const { stderr, stdout } = await kith('id', 'parse', link.replace('name=x', 'name=%1b%5b2J'))
    expect(`${stdout}${stderr}`).not.toContain('\u001b')
  })
})

const has = (shell: string): boolean => spawnSync(shell, ['--version']).error === undefined

/** What bash would offer for these words, of which the last is not finished. */
function offered(script: string, ...words: string[]): string[] {
  const list = ['kith', ...words].map((word) => `'${word}'`).join(' ')
  const ask = `COMP_WORDS=(${list}); COMP_CWORD=${words.length}; _kith; printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', `${script}\n${ask}`], {
    encoding: 'utf8'
  })
  expect([status, stderr]).toEqual([0, ''])
  return stdout.split('\n').filter((word) => word !== '')
}

describe('completion', () => {
  it.skipIf(!has('bash'))('of bash offers nouns, verbs and options', async () => {
    const { code, stdout } = await kith('completion', 'bash')
    expect(code).toBe(0)
    expect(offered(stdout, 'cont')).toEqual(['contact'])
    expect(offered(stdout, 'contact', 'b')).toEqual(['block'])
    expect(offered(stdout, 'message', 'send', 'bob', 'hi', '--w')).toEqual(['--wait'])
    expect(offered(stdout, '--json', 'message', 'li')).toEqual(['list'])
    expect(offered(stdout, 'completion', 'z')).toEqual(['zsh'])
    expect(offered(stdout, '')).toEqual(expect.arrayContaining(COMMANDS.map(({ noun }) => noun)))
  })

  it.each(['bash', 'zsh', 'fish'])('for %s names every command', async (shell) => {
    const { stdout } = await kith('completion', shell)
    for (const { noun, verb = noun } of COMMANDS) {
      expect(stdout).toContain(noun)
      expect(stdout).toContain(verb)
    }
  })

  it.each(['zsh', 'fish'].filter(has))('for %s is a script that it takes', async (shell) => {
    const { stdout } = await kith('completion', shell)
    expect(spawnSync(shell, ['-n'], { input: stdout, encoding: 'utf8' })).toMatchObject({
      status: 0,
      stderr: ''
    })
  })

  it('of another shell is refused with those there are', async () => {
    const { code, stderr } = await kith('completion', 'tcsh')
    expect(code).toBe(2)
    expect(stderr).toContain('bash, zsh, fish')
  })
})
