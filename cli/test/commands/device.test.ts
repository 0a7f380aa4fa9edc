// `kith device …` as typed: two commands side by side that share a code, and what is said when people disagree.
import { beforeEach, describe, expect, it } from 'vitest'
import type { SecretSource } from '../../src/engine.ts'
import { EMOJI } from '../memory-devices.ts'
import { MemoryWorld } from '../memory-engine.ts'
import { type RunOptions, run, temporaryHome } from '../run.ts'

let world: MemoryWorld
let home: string
let other: string

beforeEach(async () => {
  world = new MemoryWorld()
  home = await temporaryHome()
  other = await temporaryHome()
})

/** Runs both commands; each user types what is given. */
async function link(
  answers: { old: string; fresh: string },
  options: Partial<RunOptions> & { flags?: readonly string[] } = {}
) {
  const { flags = [], ...rest } = options
  let found: (code: string) => void = () => undefined
  const code = new Promise<string>((resolve) => {
    found = resolve
  })
  const old = run(['device', 'add', ...flags], {
    home,
    engine: world,
    stdin: [`${answers.old}\n`],
    onOutput: (text) => {
      const [shown] = /kith:link\/\d+/.exec(text) ?? []
      if (shown !== undefined) found(shown)
    },
    ...rest
  })
  const typed = await Promise.race([code, old.then(() => '')])
  const fresh = await run(['device', 'link', typed, '--name', 'phone', ...flags], {
    home: other,
    engine: world,
    stdin: [`${answers.fresh}\n`]
  })
  return { old: await old, fresh, code: typed }
}

const isRefused = (text: string) => expect.stringContaining(text)

describe('device add and link', () => {
  beforeEach(() => {
    world.person(home, 'alice')
  })

  it('show the code, the same emoji with their names, and the new device', async () => {
    const { old, fresh, code } = await link({ old: 'yes', fresh: 'y' })
    expect([old.code, fresh.code]).toEqual([0, 0])
    expect(old.stdout).toContain(`kith device link '${code}'`)
    const shown = EMOJI.map(({ symbol, name }) => `${symbol} ${name}`).join('   ')
    expect(old.stdout).toContain(shown)
    expect(fresh.stdout).toContain(shown)
    expect(old.stdout).toContain('✓ phone is a device of your account')
    expect(fresh.stdout).toContain('✓ this device is phone of alice')
  })

  it('tell programs the same as people', async () => {
    const { old, fresh, code } = await link({ old: 'yes', fresh: 'yes' }, { flags: ['--json'] })
    expect(old.json()).toMatchObject([
      { type: 'link', link: { state: 'waiting', code } },
      { type: 'link', link: { state: 'comparing', name: 'phone', emoji: EMOJI } },
      { type: 'link', link: { state: 'linked', name: 'phone' } }
    ])
    expect(fresh.json()).toMatchObject([
      { type: 'compare', emoji: EMOJI, name: 'alice' },
      { type: 'linked', deviceName: 'phone' }
    ])
  })

  it.each([
    ['no', 'yes'],
    ['yes', 'no'],
    ['No', 'N']
  ])('link nothing when one says %s and the other %s', async (old, fresh) => {
    const ended = await link({ old, fresh })
    expect([ended.old.code, ended.fresh.code]).toEqual([6, 6])
    expect(ended.fresh.stderr).toContain('Nothing was linked')
  })

  it('ask again for an answer that is neither', async () => {
    const { old, fresh } = await link({ old: 'perhaps\nyes', fresh: 'what?\nyes' })
    expect([old.code, fresh.code]).toEqual([0, 0])
    expect(old.stderr.match(/Type yes or no:/g)).toHaveLength(2)
  })

  it('link nothing when nobody answers', async () => {
    const { old, fresh } = await link({ old: '', fresh: 'yes' })
    expect([old.code, fresh.code]).toEqual([6, 6])
  })

  it('say that a code is used up', async () => {
    const { code } = await link({ old: 'yes', fresh: 'yes' })
    const again = await run(['device', 'link', code], { home: other, engine: world })
    expect([again.code, again.stderr]).toEqual([5, isRefused('No device waits behind this code')])
  })
})

describe('device add', () => {
  it('asks for the passphrase again when the key file has one', async () => {
    world.person(home, 'alice', { passphrase: 'secret' })
    const asked: string[] = []
    const secrets: SecretSource = {
      given: async () => undefined,
      ask: async (prompt) => {
        asked.push(prompt)
        return 'secret'
      }
    }
    const { old } = await link({ old: 'yes', fresh: 'yes' }, { secrets })
    expect(old.code).toBe(0)
    expect(asked).toEqual(['Passphrase: ', 'Passphrase, once more: '])
  })

  it('ends at Ctrl-C, and its code with it', async () => {
    world.person(home, 'alice')
    const interruption = new AbortController()
    const ended = await run(['device', 'add'], {
      home,
      engine: world,
      signal: interruption.signal,
      onOutput: (text) => {
        if (text.includes('kith:link')) setTimeout(() => interruption.abort(), 20)
      }
    })
    expect(ended.code).toBe(130)
  })
})

describe('device list, rename and remove', () => {
  const kith = (...argv: string[]) => run(['device', ...argv], { home, engine: world })
  beforeEach(() => {
    world.person(home, 'alice')
  })

  it('list marks this device', async () => {
    const { stdout } = await kith('list')
    expect(stdout).toMatch(/^laptop {2}12D3\S+ {2}added \d{4}-\d\d-\d\d {2}\(this one\)\n$/)
    expect((await kith('list', '--json')).json()).toMatchObject([{ name: 'laptop', isThis: true }])
  })

  it('rename says the new name, and refuses a bad one', async () => {
    expect((await kith('rename', 'laptop', 'desk')).stdout).toMatch(/^desk {2}12D3/)
    expect((await kith('rename', 'laptop', '')).code).toBe(2)
  })

  it('remove refuses this device, and one that is not there', async () => {
    expect(await kith('remove', 'laptop')).toMatchObject({ code: 2 })
    expect(await kith('remove', 'tablet')).toMatchObject({ code: 5 })
  })
})
