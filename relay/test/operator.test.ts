// What an operator types while the relay runs, and while it does not: invites, accounts, settings, health, metrics.
import { readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { formatJoinLink, parseJoinLink } from '@kith/protocols'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createHomeFolder, type HomeFolder } from './home-folder.ts'
import { Device, randomEnvelope, tcpWire } from './people.ts'
import { type Running, run } from './process.ts'

let relay: HomeFolder

beforeEach(async () => {
  relay = await createHomeFolder()
})

afterEach(() => relay.remove())

const type = (...args: string[]) => run([...args, '--home', relay.home])

async function typeJson<T>(...args: string[]): Promise<T[]> {
  const { code, out, error } = await type(...args, '--json')
  expect({ code, error }).toEqual({ code: 0, error: '' })
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T)
}

/** The relay's join link with another invite. */
const linkWith = ({ joinLink }: Running, invite: string): string =>
  formatJoinLink({ ...parseJoinLink(joinLink), invite })

describe('invites', () => {
  it.each(['running', 'stopped'])('are made, used up, listed and revoked (%s)', async (state) => {
    await relay.init('--registration', 'invite', '--invite-uses', '3')
    let running = state === 'running' ? await relay.start() : undefined
    const [made] = await typeJson<{ invite: string; token: string; joinLink: string | null }>(
      'invite',
      'create'
    )
    expect(made?.joinLink === null).toBe(state === 'stopped')
    running ??= await relay.start()
    const link = linkWith(running, made?.token ?? '')
    const wire = tcpWire()
    const first = await Device.join(wire, link)
    await first.stop()
    await expect(Device.join(wire, link)).rejects.toMatchObject({ code: 'invite' })
    const listed = await typeJson<{ invite: string; usesLeft: number }>('invite', 'list')
    expect(listed.map(({ usesLeft }) => usesLeft)).toEqual([3, 0])
    expect(listed[1]?.invite).toBe(made?.invite)
    await typeJson('invite', 'revoke', listed[0]?.invite ?? '')
    await expect(Device.join(wire, running.joinLink)).rejects.toMatchObject({
      code: 'invite'
    })
    const gone = await type('invite', 'revoke', listed[0]?.invite ?? '')
    expect(gone).toMatchObject({ code: 1, error: expect.stringContaining('no such invite') })
  })

  it('of no use are refused in words', async () => {
    await relay.init()
    const { code, error } = await type('invite', 'create', '--uses', 'many')
    expect(code).toBe(2)
    expect(error).toContain('must be a whole number')
  })
})

describe('accounts', () => {
  it('are listed, and one that is blocked is refused at once and after a restart, until unblocked', async () => {
    await relay.init()
    const running = await relay.start()
    const wire = tcpWire()
    const [alice, bob] = [
      await Device.join(wire, running.joinLink),
      await Device.join(wire, running.joinLink)
    ]
    try {
      await alice.append(randomEnvelope())
      const users = await typeJson<{ account: string; entries: number }>('user', 'list')
      expect(users.map(({ entries }) => entries).sort()).toEqual([0, 1])
      const account = users.find(({ entries }) => entries === 1)?.account ?? ''
      const [blocked] = await typeJson('user', 'block', account, '--reason', 'spam')
      expect(blocked).toMatchObject({ account, suspended: 'spam' })
      await expect(alice.append(randomEnvelope())).rejects.toMatchObject({ code: 'forbidden' })
      await bob.append(randomEnvelope())
      await relay.stop()
      alice.relay = parseJoinLink((await relay.start()).joinLink)
      await expect(alice.append(randomEnvelope())).rejects.toMatchObject({ code: 'forbidden' })
      await typeJson('user', 'unblock', account)
      await alice.append(randomEnvelope())
    } finally {
      await alice.stop()
      await bob.stop()
    }
  })

  it('that are not here, or no ids, are refused in words', async () => {
    await relay.init()
    await relay.start()
    const wrong = await type('user', 'show', 'alice')
    expect(wrong).toMatchObject({ code: 1, error: expect.stringContaining('is no account id') })
    const none = await type('user', 'show', 'a'.repeat(52))
    expect(none).toMatchObject({ code: 1, error: expect.stringContaining('No such account') })
    const { code } = await type('user', 'block', 'a'.repeat(52))
    expect(code).toBe(2)
  })
})

describe('settings', () => {
  it('are read again on request and on SIGHUP; wrong ones change nothing', async () => {
    await relay.init('--registration', 'invite')
    const running = await relay.start()
    const uninvited = linkWith(running, '')
    const wire = tcpWire()
    await expect(Device.join(wire, uninvited)).rejects.toMatchObject({ code: 'invite' })
    const file = join(relay.home, 'relay.toml')
    const before = await readFile(file, 'utf8')
    await writeFile(file, `${before.replace(/^registration = .*$/m, 'registration = "open"')}`)
    expect(await typeJson('reload')).toEqual([
      { key: 'registration', before: 'invite', after: 'open', needsRestart: false }
    ])
    await (await Device.join(wire, uninvited)).stop()
    await writeFile(file, 'registration = "nobody"')
    const wrong = await type('reload')
    expect(wrong.code).toBe(1)
    expect(wrong.error).toContain('"registration" must be one of')
    expect(await type('config', 'check')).toMatchObject({ code: 2 })
    await (await Device.join(wire, uninvited)).stop()
    await writeFile(file, before)
    running.signal('SIGHUP')
    await expect
      .poll(() =>
        Device.join(wire, uninvited).then(
          (one) => one.stop(),
          (error) => error.code
        )
      )
      .toBe('invite')
  })

  it('are shown with where each comes from, and need no relay to be shown as they are by default', async () => {
    await relay.init()
    const { out } = await run(['config', 'show', '--origin', '--home', relay.home], {
      KITH_RELAY_DRAIN_SECONDS: '3'
    })
    expect(out).toContain('drainSeconds = 3  # environment')
    expect(out).toContain('limits.accountsMax = 100000  # default')
    expect(out).toMatch(/listen = .*# relay.toml/)
    const fresh = await run(['config', 'show', '--default'])
    expect(fresh).toMatchObject({ code: 0, out: expect.stringContaining('# [limits]'.slice(2)) })
    expect(JSON.parse((await run(['config', 'schema'])).out)).toMatchObject({ type: 'object' })
    expect(await type('reload')).toMatchObject({ code: 1, error: expect.stringContaining('run') })
  })
})

describe('HTTP', () => {
  it('tells health and numbers, names nobody, and answers nothing else', async () => {
    await relay.init()
    const { http = '', joinLink } = await relay.start({ KITH_RELAY_HTTP: '127.0.0.1:0' })
    const device = await Device.join(tcpWire(), joinLink)
    try {
      await device.append(randomEnvelope())
      const health = await fetch(`http://${http}/health`)
      expect([health.status, await health.json()]).toEqual([200, { status: 'ok' }])
      const metrics = await (await fetch(`http://${http}/metrics`)).text()
      expect(metrics).toMatch(/^kith_relay_accounts 1$/m)
      expect(metrics).toMatch(/^kith_relay_appends_total 1$/m)
      expect(metrics).toMatch(/^kith_relay_disk_free_bytes \d+$/m)
      expect(metrics).not.toContain(Buffer.from(device.accountBytes).toString('hex'))
      expect((await fetch(`http://${http}/other`)).status).toBe(404)
      expect((await fetch(`http://${http}/health`, { method: 'POST' })).status).toBe(405)
    } finally {
      await device.stop()
    }
  })

  it('that cannot be served is said, and nothing is left behind', async () => {
    await relay.init()
    const first = await relay.start({ KITH_RELAY_HTTP: '127.0.0.1:0' })
    const taken = { KITH_RELAY_HTTP: first.http ?? '' }
    await relay.stop()
    const other = await createHomeFolder()
    try {
      await other.init()
      await other.start(taken)
      const { code, error } = await run(['start', '--home', relay.home], taken)
      expect(code).toBe(1)
      expect(error).toContain('Cannot serve HTTP')
      await relay.start()
    } finally {
      await other.remove()
    }
  })
})

describe('the control socket', () => {
  it.each([
    ['no JSON', 'hello\n', 'no request'],
    ['no method', '{}\n', 'no request'],
    ['a list', '[]\n', 'no request'],
    ['an unknown method', '{"method":"erase"}\n', 'does not know'],
    [
      'parameters of another kind',
      '{"method":"invite.create","params":{"uses":"1"}}\n',
      'whole number'
    ],
    ['a line without end', 'x'.repeat(70_000), 'without end']
  ])('answers %s with an error, and goes on', async (_, request, reason) => {
    await relay.init()
    await relay.start()
    const socket = connect(join(relay.home, 'relay.sock'))
    socket.write(request)
    let answer = ''
    for await (const part of socket.setEncoding('utf8')) answer += part
    expect(JSON.parse(answer).error.message).toContain(reason)
    expect((await typeJson('status'))[0]).toMatchObject({ state: 'running' })
  })
})

describe('a full disk', () => {
  it('stops what needs room before it is full, and serves what is there', async () => {
    await relay.init()
    const running = await relay.start()
    const device = await Device.join(tcpWire(), running.joinLink)
    try {
      await device.append(randomEnvelope())
      const box = await device.subscribe()
      await box.until(1)
      await relay.stop()
      const http = { KITH_RELAY_HTTP: '127.0.0.1:0', KITH_RELAY_FREE_BYTES_MIN: `${2 ** 49}` }
      const full = await relay.start(http)
      device.relay = parseJoinLink(full.joinLink)
      await expect(device.append(randomEnvelope())).rejects.toMatchObject({
        code: 'unavailable',
        detail: 'disk-full'
      })
      await (await device.subscribe()).until(1)
      const health = await fetch(`http://${full.http}/health`)
      expect([health.status, await health.json()]).toEqual([503, { status: 'low-disk' }])
    } finally {
      await device.stop()
    }
  })
})
