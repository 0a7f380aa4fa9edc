// The daemon as a process: programs over HTTP and socket, events that outlive its death, and an end in order.
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ProcessStage, type Running, until } from './stage.ts'

const stage = new ProcessStage()

async function well(as: string, ...argv: string[]): Promise<Record<string, unknown>[]> {
  const ended = await stage.kith([...argv, '--json'], { as })
  expect([ended.code, ended.stderr], `${as}: kith ${argv.join(' ')}`).toEqual([0, ''])
  return ended.stdout === '' ? [] : ended.json()
}

beforeAll(async () => {
  await stage.open()
  const { link } = await stage.startRelay('relay')
  for (const name of ['alice', 'bob']) {
    await well(name, 'account', 'create', '--relay', link, '--name', name)
  }
  for (const [one, other] of [
    ['alice', 'bob'],
    ['bob', 'alice']
  ] as const) {
    const [shown] = await well(other, 'account', 'show')
    await well(one, 'contact', 'add', String(shown?.link))
  }
}, 60_000)

afterAll(() => stage.close())

interface Daemon extends Running {
  readonly http: string
  call(method: string, params?: object): Promise<Record<string, unknown>>
}

async function startDaemon(as: string): Promise<Daemon> {
  const running = stage.start(['daemon', '--http', '0', '--json'], { as, input: null })
  await until(() => running.stdout().includes('"ready"'))
  const ready = JSON.parse(running.stdout()) as { http: string; tokenFile: string }
  const token = (await readFile(ready.tokenFile, 'utf8')).trim()
  return {
    ...running,
    http: ready.http,
    async call(method, params = {}) {
      const answer = await fetch(`${ready.http}/rpc`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
      })
      return (await answer.json()) as Record<string, unknown>
    }
  }
}

const textsOf = (lines: readonly Record<string, unknown>[]): unknown[] =>
  lines.flatMap(({ event }) => {
    const { type, message } = event as { type: string; message?: { text: string } }
    return type === 'message' ? [message?.text] : []
  })

it('sends, tells and goes on after kill -9 where each consumer had confirmed', async () => {
  const daemon = await startDaemon('alice')
  const sent = await daemon.call('message.send', {
    who: 'bob',
    text: 'from a program',
    wait: 'accepted'
  })
  expect(sent).toMatchObject({ result: { text: 'from a program', state: 'accepted' } })
  await well('bob', 'message', 'send', 'alice', 'to a program', '--wait', 'accepted')
  await expect
    .poll(async () => JSON.stringify(await daemon.call('readEvents', { consumer: 'bot' })), {
      timeout: 20_000
    })
    .toContain('to a program')
  const events = ['events', '--consumer', 'bot', '--once']
  const first = await well('alice', ...events)
  expect(textsOf(first)).toEqual(['from a program', 'to a program'])
  const [message] = first.filter(({ event }) => textsOf([{ event }]).length > 0)
  await daemon.call('consumer.confirm', { consumer: 'bot', number: String(message?.number) })

  daemon.child.kill('SIGKILL')
  await daemon.ended
  await well('bob', 'message', 'send', 'alice', 'while it was dead', '--wait', 'accepted')
  const again = await startDaemon('alice')
  await expect
    .poll(async () => JSON.stringify(await again.call('readEvents', { consumer: 'bot' })), {
      timeout: 20_000
    })
    .toContain('while it was dead')
  const rest = await well('alice', ...events, '--confirm')
  expect(textsOf(rest)).toEqual(['to a program', 'while it was dead'])
  expect(textsOf(await well('alice', ...events))).toEqual([])

  const second = await stage.kith(['daemon'], { as: 'alice' })
  expect(second.code).toBe(1)
  expect(second.stderr).toContain('Another kith process holds this home')
  again.child.kill('SIGTERM')
  expect(await again.ended).toMatchObject({ code: 0, stderr: expect.stringContaining('running') })
}, 120_000)

it('says what is wrong', async () => {
  const outside = await stage.kith(['daemon', '--http', '0.0.0.0:80'], { as: 'alice' })
  expect(outside.code).toBe(2)
  expect(outside.stderr).toContain('loopback only')
  const unnamed = await stage.kith(['events', '--confirm'], { as: 'alice' })
  expect(unnamed.code).toBe(2)
  const beyond = await stage.kith(['events', '--since', '999999', '--once'], { as: 'alice' })
  expect(beyond.code).toBe(5)
  expect(beyond.stderr).toContain('There is no event 999999')
  const odd = await stage.kith(['events', '--consumer', 'My Bot', '--once'], { as: 'alice' })
  expect(odd.code).toBe(2)
  const nobody = await stage.kith(['consumer', 'forget', 'nobody'], { as: 'alice' })
  expect(nobody.code).toBe(5)
})
