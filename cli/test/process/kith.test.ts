// The built command against a real relay: what a person types, and what is said when it is wrong.
import { existsSync } from 'node:fs'
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort, ProcessStage, until } from './stage.ts'

/** Where distributions put theirs. */
const SYSTEM_NODE = '/usr/bin/node'

const stage = new ProcessStage()
let joinLink = ''

const show = async (name: string): Promise<{ link: string; account: string }> =>
  (await stage.kith(['account', 'show', '--json'], { as: name })).json()[0] as never

async function createAccount(name: string, as = name): Promise<void> {
  const { code, stderr } = await stage.kith(
    ['account', 'create', '--relay', joinLink, '--name', name],
    { as }
  )
  expect([code, stderr]).toEqual([0, ''])
}

beforeAll(async () => {
  await stage.open()
  joinLink = (await stage.startRelay('relay')).link
  await Promise.all([createAccount('alice'), createAccount('bob')])
  const [alice, bob] = [await show('alice'), await show('bob')]
  await stage.kith(['contact', 'add', bob.link], { as: 'alice' })
  await stage.kith(['contact', 'add', alice.link], { as: 'bob' })
}, 60_000)

afterAll(() => stage.close())

describe('kith', () => {
  it('shows help without loading the messenger', async () => {
    const { code, stdout } = await stage.kith(['--help'])
    expect(code).toBe(0)
    expect(stdout).toContain('Exit codes:')
  })

  it('keeps everything of an account for its owner alone', async () => {
    const home = stage.home('alice')
    expect((await stat(home)).mode & 0o077).toBe(0)
    for (const file of await readdir(home, { recursive: true, withFileTypes: true })) {
      const path = join(file.parentPath, file.name)
      const { mode } = await stat(path)
      // Inside a folder that nobody else may enter; the keys are closed on their own as well.
      if (file.name === 'keys.json') expect(mode & 0o077).toBe(0)
    }
  })

  it('carries messages between two people, with states, while a second command works', async () => {
    const watch = stage.start(['message', 'watch', '--json'], { as: 'bob', input: null })
    await until(() => watch.stdout().includes('"ready"'))
    const sent = await stage.kith(['message', 'send', 'bob', 'hello', '--wait', 'delivered'], {
      as: 'alice'
    })
    expect([sent.code, sent.stderr]).toEqual([0, ''])
    expect(sent.stdout).toMatch(/^✓✓ to bob: delivered/)
    await until(() => watch.stdout().includes('"text":"hello"'))
    expect((await stat(join(stage.home('bob'), 'kith.sock'))).mode & 0o777).toBe(0o600)
    const back = await stage.kith(['message', 'send', 'alice', 'hi', '--json'], { as: 'bob' })
    expect(back.code).toBe(0)
    expect(back.json()[0]).toMatchObject({ text: 'hi', state: 'accepted', relays: 1 })
    watch.child.kill('SIGINT')
    const { code, stderr } = await watch.ended
    expect([code, stderr]).toEqual([0, ''])
    expect(await readdir(stage.home('bob'))).not.toContain('kith.sock')
  })

  it('chats through pipes and keeps the history', async () => {
    const bob = stage.start(['chat', 'alice', '--timeout', '0'], { as: 'bob', input: null })
    const lines = 'first\nsecond 👩‍🚀\nשלום\n'
    const alice = await stage.kith(['chat', 'bob'], { as: 'alice', input: lines })
    expect([alice.code, alice.stderr]).toEqual([0, ''])
    expect(alice.stdout.match(/✓✓ alice: /g)).toHaveLength(3)
    await until(() => bob.stdout().includes('שלום'))
    bob.child.stdin?.end('and back\n')
    expect((await bob.ended).code).toBe(0)
    const { stdout } = await stage.kith(['message', 'list', 'alice'], { as: 'bob' })
    for (const text of [
      'alice: first',
      'alice: second 👩‍🚀',
      'alice: \u2068שלום\u2069',
      'bob: and back'
    ]) {
      expect(stdout).toContain(text)
    }
  })

  it.skipIf(!existsSync(SYSTEM_NODE))(
    'runs under the Node of the system, however old',
    async () => {
      const { code, stdout } = await stage.kith(['--version'], { node: SYSTEM_NODE })
      expect([code, stdout]).toEqual([0, '0.1.0\n'])
    }
  )

  it('ends quietly when nobody reads its output', async () => {
    const watch = stage.start(['message', 'watch', '--json'], { as: 'alice', input: null })
    await until(() => watch.stdout().includes('ready'))
    watch.child.stdout?.destroy()
    await stage.kith(['message', 'send', 'bob', 'x'], { as: 'alice' })
    const { code, stderr } = await watch.ended
    expect([code, stderr]).toEqual([0, ''])
  })
})

describe('bad input', () => {
  const fails = async (
    argv: readonly string[],
    expected: {
      code: number
      says: string
      as?: string
      input?: string | Uint8Array
      env?: Record<string, string>
    }
  ) => {
    const { code, says, ...options } = expected
    const ended = await stage.kith(argv, { as: 'alice', ...options })
    expect(ended.stderr).toContain(says)
    expect(ended.stderr).toMatch(/^kith: .+\n( {2}try: .+\n)?$/)
    expect(ended.stderr.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u)
    expect([ended.code, ended.stdout]).toEqual([code, ''])
  }

  it('unknown contact', () =>
    fails(['message', 'send', 'carol', 'x'], { code: 5, says: 'no contact called' }))

  it('no account', () =>
    fails(['account', 'show'], { as: 'nobody', code: 5, says: 'There is no account' }))

  it('an account that exists', () =>
    fails(['account', 'create', '--relay', joinLink, '--name', 'x'], {
      code: 1,
      says: 'There is an account'
    }))

  it('malformed links', async () => {
    await fails(['contact', 'add', 'kith:contact/x'], { code: 2, says: 'not a contact link' })
    await fails(['contact', 'add', `kith:contact/\u001B[2J\u202E`], {
      code: 2,
      says: 'not a contact link'
    })
    await fails(['contact', 'add', 'x'.repeat(100_000)], { code: 2, says: 'not a contact link' })
    const create = ['account', 'create', '--name', 'x', '--relay']
    await fails([...create, 'kith:join/x'], { as: 'new', code: 2, says: 'not a join link' })
  })

  it('a link that lost its end because it was not quoted', async () => {
    const { link } = await show('bob')
    await fails(['contact', 'add', link.slice(0, link.indexOf('&'))], {
      code: 2,
      says: 'not a contact link'
    })
  })

  it('wrong invite', async () => {
    const relay = joinLink.replace(/invite=.*/, `invite=${'a'.repeat(26)}`)
    await fails(['account', 'create', '--relay', relay, '--name', 'x'], {
      as: 'new',
      code: 4,
      says: 'does not accept this invite'
    })
    await fails(['account', 'show'], { as: 'new', code: 5, says: 'There is no account' })
  })

  it('unreachable relay, when an account is made', async () => {
    const relay = joinLink.replace(/tcp\/\d+/, `tcp/${await freePort()}`)
    await fails(['account', 'create', '--relay', relay, '--name', 'x'], {
      as: 'new',
      code: 3,
      says: 'The relay cannot be reached'
    })
    await fails(['account', 'show'], { as: 'new', code: 5, says: 'There is no account' })
  })

  it('wrong, missing and empty passphrase', async () => {
    const create = ['account', 'create', '--relay', joinLink, '--name', 'sealed', '--passphrase']
    await fails(create, { as: 'sealed', code: 4, says: 'no terminal to ask' })
    const env = { KITH_PASSPHRASE: 'correct horse' }
    expect((await stage.kith(create, { as: 'sealed', env })).code).toBe(0)
    await fails(['account', 'show'], { as: 'sealed', code: 4, says: 'protected by a passphrase' })
    await fails(['account', 'show'], {
      as: 'sealed',
      code: 4,
      says: 'passphrase is wrong',
      env: { KITH_PASSPHRASE: 'x' }
    })
    const file = join(stage.folder, 'passphrase')
    const withFile = ['account', 'show', '--passphrase-file', file]
    await fails(withFile, { as: 'sealed', code: 4, says: 'does not exist' })
    await writeFile(file, '\n')
    await fails(withFile, { as: 'sealed', code: 4, says: 'is empty' })
    await writeFile(file, 'correct horse\n')
    expect((await stage.kith(withFile, { as: 'sealed' })).code).toBe(0)
  })

  it('empty, oversized, NUL and non-UTF-8 messages, of which nothing is stored', async () => {
    const before = (await stage.kith(['message', 'list', 'bob', '--json'], { as: 'alice' })).stdout
    const send = ['message', 'send', 'bob', '-']
    await fails(send, { code: 2, says: 'The message is empty', input: ' \n' })
    await fails(send, {
      code: 2,
      says: 'at most 16384. Nothing was sent',
      input: 'x'.repeat(16_385)
    })
    await fails(send, { code: 2, says: 'NUL', input: 'a\0b' })
    await fails(send, { code: 2, says: 'not valid UTF-8', input: Uint8Array.of(0xc3, 0x28) })
    expect((await stage.kith(['message', 'list', 'bob', '--json'], { as: 'alice' })).stdout).toBe(
      before
    )
  })

  it('escape sequences, bidirectional text and emoji in names and messages', async () => {
    await createAccount('👩‍🚀 שרה', 'sarah')
    await stage.kith(['contact', 'add', (await show('alice')).link], { as: 'sarah' })
    const added = await stage.kith(['contact', 'add', (await show('sarah')).link], { as: 'alice' })
    expect(added.stdout).toContain('\u2068👩‍🚀 שרה\u2069')
    const watch = stage.start(['message', 'watch'], { as: 'sarah', input: null })
    const evil = 'a\u001B]52;c;eA==\u0007\u009B2J\u202Egpj.exe\r\u0008\u007F\n12:00 bob: forged 🏳️‍🌈'
    const sent = await stage.kith(['message', 'send', '👩‍🚀 שרה', '-', '--wait', 'delivered'], {
      as: 'alice',
      input: evil
    })
    expect([sent.code, sent.stderr]).toEqual([0, ''])
    await until(() => watch.stdout().includes('forged'))
    const texts = [
      watch.stdout(),
      (await stage.kith(['message', 'list', 'alice'], { as: 'sarah' })).stdout,
      (await stage.kith(['message', 'list', '👩‍🚀 שרה'], { as: 'alice' })).stdout
    ]
    for (const text of texts) {
      expect(text).toContain('a␛]52;c;eA==␇<9B>2Jgpj.exe␍␈␡\n      │ 12:00 bob: forged 🏳️‍🌈')
      expect(text).not.toMatch(/[^\P{Cc}\n]|\u202E/u)
    }
    const programs = await stage.kith(['message', 'list', 'alice', '--json'], { as: 'sarah' })
    expect(programs.stdout).not.toMatch(/[^\P{Cc}\n]|\u202E/u)
    expect(programs.json()[0]).toMatchObject({ text: evil })
    watch.child.kill('SIGINT')
    expect((await watch.ended).code).toBe(0)
  })

  it('a store in use by a process that serves no socket', async () => {
    const watch = stage.start(['message', 'watch', '--json'], { as: 'alice', input: null })
    await until(() => watch.stdout().includes('ready'))
    await rm(join(stage.home('alice'), 'kith.sock'))
    await fails(['message', 'list', 'bob'], { code: 1, says: 'in use by' })
    watch.child.kill('SIGTERM')
    await watch.ended
  })

  it('a store left by a killed process opens again, with everything stored', async () => {
    const watch = stage.start(['message', 'watch', '--json'], { as: 'alice', input: null })
    await until(() => watch.stdout().includes('ready'))
    const sent = await stage.kith(['message', 'send', 'bob', 'before the crash'], { as: 'alice' })
    expect(sent.code).toBe(0)
    watch.child.kill('SIGKILL')
    await watch.ended
    expect(await readdir(stage.home('alice'))).toContain('kith.sock')
    const { code, stdout } = await stage.kith(['message', 'list', 'bob'], { as: 'alice' })
    expect(code).toBe(0)
    expect(stdout).toContain('before the crash')
  })

  it('a corrupted store, of which nothing is changed', async () => {
    await createAccount('carol')
    const store = join(stage.home('carol'), 'store')
    const files = await readdir(store, { recursive: true, withFileTypes: true })
    for (const file of files) {
      const path = join(file.parentPath, file.name)
      if (!file.isFile() || !/\.(log|ldb)$/.test(file.name)) continue
      const bytes = await readFile(path)
      for (let at = 20; at < bytes.length; at += 50) bytes[at] = (bytes[at] as number) ^ 0x55
      await writeFile(path, bytes)
    }
    await fails(['account', 'show'], { as: 'carol', code: 1, says: 'Nothing was changed' })
  })

  it('a key file that is not one', async () => {
    await createAccount('dave')
    await writeFile(join(stage.home('dave'), 'keys.json'), '{"nonsense":')
    await fails(['account', 'show'], { as: 'dave', code: 1, says: 'key file' })
  })
})

describe('when the relay is away', () => {
  it('stores messages, says so, and sends them when it is back', async () => {
    const { link, relay } = await stage.startRelay('relay-2')
    for (const name of ['erin', 'frank']) {
      const argv = ['account', 'create', '--relay', link, '--name', name]
      expect((await stage.kith(argv, { as: name })).code).toBe(0)
    }
    await stage.kith(['contact', 'add', (await show('frank')).link], { as: 'erin' })
    await stage.kith(['contact', 'add', (await show('erin')).link], { as: 'frank' })
    relay.child.kill('SIGKILL')
    await relay.ended
    const sent = await stage.kith(['message', 'send', 'frank', 'later', '--timeout', '1'], {
      as: 'erin'
    })
    expect(sent.code).toBe(0)
    expect(sent.stdout).toMatch(/^○ {2}to frank: queued/)
    expect(sent.stderr).toContain('stored on this machine')
    const waited = ['message', 'send', 'frank', 'too', '--wait', 'accepted', '--timeout', '1']
    expect((await stage.kith(waited, { as: 'erin' })).code).toBe(3)
    await stage.startRelay('relay-2')
    const chat = await stage.kith(['chat', 'frank', '--timeout', '0'], {
      as: 'erin',
      input: 'now\n'
    })
    expect(chat.code).toBe(0)
    const frank = stage.start(['message', 'watch', '--json'], { as: 'frank', input: null })
    const erin = stage.start(['message', 'watch', '--json'], { as: 'erin', input: null })
    await until(() =>
      ['later', 'too', 'now'].every((text) => frank.stdout().includes(`"text":"${text}"`))
    )
    for (const running of [frank, erin]) {
      running.child.kill('SIGINT')
      expect((await running.ended).code).toBe(0)
    }
    const { json } = await stage.kith(['message', 'list', 'erin', '--json'], { as: 'frank' })
    expect(json().map(({ text }) => text)).toEqual(['later', 'too', 'now'])
  }, 60_000)
})
