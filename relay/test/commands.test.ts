// `kith-relay` as an operator types it: init, start, status, and what goes wrong.
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseJoinLink } from '@kith/protocols'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Device, hex, randomEnvelope, tcpWire } from './people.ts'
import { type Running, run, startProcess } from './process.ts'

const LISTEN = ['--listen', '/ip4/127.0.0.1/tcp/0']
let home: string
const running: Running[] = []

beforeEach(async () => {
  home = join(await mkdtemp(join(tmpdir(), 'kith-')), 'relay')
})

afterEach(async () => {
  for (const relay of running.splice(0)) await relay.end('SIGKILL')
  await rm(join(home, '..'), { recursive: true, force: true })
})

const init = (...args: string[]) => run(['init', '--home', home, ...args])

async function start(fileKibMax?: number): Promise<Running> {
  const relay = await startProcess(home, fileKibMax === undefined ? {} : { fileKibMax })
  running.push(relay)
  return relay
}

async function status(): Promise<Record<string, unknown>> {
  const { out } = await run(['status', '--home', home, '--json'])
  return JSON.parse(out)
}

describe('init', () => {
  it('prints a join link and what to type next, and keeps secrets to the owner', async () => {
    const { code, out } = await init(
      '--listen',
      '/ip4/127.0.0.1/tcp/14001',
      '--registration',
      'invite'
    )
    expect(code).toBe(0)
    expect(out).toContain(`kith-relay start --home ${home}`)
    const link = parseJoinLink(/kith:join\/\S+/.exec(out)?.[0] ?? '')
    expect(link.addresses).toEqual(['/ip4/127.0.0.1/tcp/14001'])
    expect(link.invite).toMatch(/^[a-z2-7]{26}$/)
    for (const file of ['relay.key', 'relay.toml', 'invite']) {
      expect((await stat(join(home, file))).mode & 0o777).toBe(0o600)
    }
  })

  it('announces other addresses than those listened on when told to', async () => {
    const address = '/dns4/relay.example/tcp/4001'
    const { out } = await init(...LISTEN, '--announce', address, '--json')
    expect(parseJoinLink(JSON.parse(out).joinLink).addresses).toEqual([address])
  })

  it('refuses a folder that holds a relay, and leaves it as it is', async () => {
    await init(...LISTEN)
    const before = await readFile(join(home, 'relay.key'), 'utf8')
    const again = await init(...LISTEN)
    expect(again.code).toBe(1)
    expect(again.error).toContain('A relay is in')
    expect(await readFile(join(home, 'relay.key'), 'utf8')).toBe(before)
  })

  it('says what to do about a folder in which it was interrupted', async () => {
    await init(...LISTEN)
    await rm(join(home, 'relay.toml'))
    const again = await init(...LISTEN)
    expect(again.code).toBe(1)
    expect(again.error).toContain(`remove ${home}, then type: kith-relay init`)
  })

  it('says what is wrong with an option', async () => {
    const address = await init('--listen', '127.0.0.1:4001')
    expect(address).toMatchObject({ code: 2, error: expect.stringContaining('is no address') })
    const who = await init('--registration', 'nobody')
    expect(who).toMatchObject({
      code: 2,
      error: expect.stringContaining('auto, invite, open, closed')
    })
    const uses = await init('--invite-uses', 'many')
    expect(uses).toMatchObject({ code: 2, error: expect.stringContaining('"inviteUses"') })
    const unknown = await init('--hom', 'x')
    expect(unknown).toMatchObject({ code: 2, error: expect.stringContaining("'--hom'") })
    await expect(stat(home)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('start', () => {
  it('keeps what it acknowledged when it is killed', async () => {
    await init(...LISTEN)
    const first = await start()
    const wire = tcpWire()
    const [alice, bob] = [
      await Device.join(wire, first.joinLink),
      await Device.join(wire, first.joinLink)
    ]
    try {
      await bob.configure()
      const envelopes = Array.from({ length: 200 }, () => randomEnvelope())
      const acknowledged: string[] = []
      let killed: Promise<unknown> | undefined
      const appends = envelopes.map((envelope) =>
        alice.append(envelope, bob.targetFor(envelope)).then(
          (number) => {
            acknowledged[number] = hex(envelope)
            if (number === 50) killed = first.end('SIGKILL')
          },
          () => undefined
        )
      )
      await Promise.all(appends)
      await killed
      running.splice(0)
      const second = await start()
      bob.relay = parseJoinLink(second.joinLink)
      const numbers = Object.keys(acknowledged).map(Number)
      expect(numbers.length).toBeGreaterThanOrEqual(50)
      const box = await bob.subscribe()
      const entries = await box.until(Math.max(...numbers))
      for (const number of numbers) {
        expect(hex(entries[number - 1]?.envelope)).toBe(acknowledged[number])
      }
    } finally {
      await alice.stop()
      await bob.stop()
    }
  })

  it('ends when the disk is full, says what to type, and keeps what it acknowledged', async () => {
    await init(...LISTEN)
    const full = await start(256)
    const device = await Device.join(tcpWire(), full.joinLink)
    try {
      const acknowledged: string[] = []
      for (let isTaken = true; isTaken; ) {
        const envelope = randomEnvelope(8_000)
        isTaken = await device.append(envelope).then(
          (number) => {
            acknowledged[number] = hex(envelope)
            return true
          },
          () => false
        )
      }
      running.splice(0)
      const { code, error } = await full.ended
      expect(code).toBe(74)
      expect(error).toContain('The store failed (failed:')
      expect(error).toContain(`then type: kith-relay start --home ${home}`)
      device.relay = parseJoinLink((await start()).joinLink)
      const last = acknowledged.length - 1
      expect(last).toBeGreaterThan(3)
      const entries = await (await device.subscribe()).until(last)
      for (let number = 1; number <= last; number++) {
        expect(hex(entries[number - 1]?.envelope)).toBe(acknowledged[number])
      }
    } finally {
      await device.stop()
    }
  })

  it('stops cleanly when told to', async () => {
    await init(...LISTEN)
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const relay = await start()
      running.splice(0)
      expect(await relay.end(signal)).toBe(0)
    }
  })

  it('names the process that has the store', async () => {
    await init(...LISTEN)
    await start()
    const { code, error } = await run(['start', '--home', home])
    expect(code).toBe(1)
    expect(error).toContain('is running already')
    expect(error).toMatch(/process \d+/)
    expect(error).toContain(`kith-relay status --home ${home}`)
  })

  it('says what to type where there is no relay', async () => {
    const { code, error } = await run(['start'], { KITH_RELAY_HOME: home })
    expect(code).toBe(1)
    expect(error).toContain(`Type: kith-relay init --home ${home}`)
  })

  it('says what is wrong with the settings or the key', async () => {
    await init(...LISTEN)
    const settings = join(home, 'relay.toml')
    await writeFile(settings, 'lisen = []')
    const unknown = await run(['start', '--home', home])
    expect(unknown).toMatchObject({ code: 2, error: expect.stringContaining('mean "listen"') })
    await writeFile(settings, '[limits]\nboxEntriesMax = -1')
    const range = await run(['start', '--home', home])
    expect(range.error).toContain('"limits.boxEntriesMax" must be a whole number')
    await writeFile(settings, '[')
    expect((await run(['start', '--home', home])).error).toContain('line 1')
    await writeFile(settings, '')
    await writeFile(join(home, 'relay.key'), 'short')
    expect((await run(['start', '--home', home])).error).toContain('does not hold a relay key')
  })
})

describe('status', () => {
  it('tells a running relay from a stopped one, also after it was killed', async () => {
    await init(...LISTEN)
    expect(await status()).toMatchObject({ state: 'stopped', home })
    const relay = await start()
    const device = await Device.join(tcpWire(), relay.joinLink)
    await device.stop()
    expect(await status()).toMatchObject({
      state: 'running',
      accounts: 1,
      boxes: 1,
      entries: 0,
      joinLink: relay.joinLink
    })
    running.splice(0)
    await relay.end('SIGKILL')
    expect(await status()).toMatchObject({ state: 'stopped' })
  })
})

describe('help', () => {
  it('shows an example for every command, and is no failure', async () => {
    for (const args of [
      ['--help'],
      ['init', '--help'],
      ['start', '--help'],
      ['status', '--help']
    ]) {
      const { code, out } = await run(args)
      expect(code).toBe(0)
      expect(out).toContain('Example:')
    }
  })

  it('is shown for an unknown command or none, which is a failure', async () => {
    expect((await run(['begin'])).code).toBe(2)
    const none = await run([])
    expect(none.code).toBe(2)
    expect(none.error).toContain('Usage: kith-relay')
  })
})
