// Every command is a method: same words, same checks, same results as on the command line.
import { beforeEach, describe, expect, it } from 'vitest'
import { COMMANDS } from '../../src/commands/index.ts'
import { commandMethods, methodNameOf } from '../../src/rpc/command-methods.ts'
import { createDispatcher, type Dispatcher, type Outcome } from '../../src/rpc/dispatch.ts'
import { METHODS } from '../../src/rpc/methods.ts'
import { describeMethods } from '../../src/rpc/open-rpc.ts'
import { type MemoryPerson, MemoryWorld } from '../memory-engine.ts'
import { run, temporaryHome } from '../run.ts'
import { hostOf } from '../socket/host.ts'

let alice: MemoryPerson
let bob: MemoryPerson
let dispatcher: Dispatcher
let world: MemoryWorld
let home: string

beforeEach(async () => {
  home = await temporaryHome()
  world = new MemoryWorld()
  alice = world.person(home, 'alice')
  bob = world.person('/bob', 'bob')
  alice.addContact(bob)
  dispatcher = createDispatcher(hostOf(alice.api()))
})

const { signal } = new AbortController()

const ask = (method: string, params?: Record<string, unknown>): Promise<Outcome> =>
  dispatcher.carryOut(
    { jsonrpc: '2.0', id: 1, method, ...(params === undefined ? {} : { params }) },
    signal
  )

const result = async (method: string, params?: Record<string, unknown>): Promise<unknown> => {
  const outcome = await ask(method, params)
  if ('error' in outcome) throw new Error(JSON.stringify(outcome.error))
  return outcome.result
}

describe('a command as a method', () => {
  it('answers what the command prints with --json', async () => {
    await result('message.send', { who: 'bob', text: ['see', 'you'], wait: 'delivered' })
    await result('message.send', { who: 'bob', text: 'again', wait: 'delivered' })
    const listed = await result('message.list', { who: 'bob', limit: 10 })
    const printed = await run(['message', 'list', 'bob', '--limit', '10', '--json'], {
      home,
      engine: world
    })
    expect(listed).toEqual(printed.json())
    expect(listed).toMatchObject([{ text: 'see you' }, { text: 'again', state: 'delivered' }])
    expect(await result('contact.list')).toMatchObject([{ name: 'bob' }])
    expect(await result('account.show')).toMatchObject({ name: 'alice' })
  })

  it('takes standard input as a parameter', async () => {
    const params = { who: 'bob', text: '-', stdin: 'from a file\n', wait: 'accepted' }
    expect(await result('message.send', params)).toMatchObject({ text: 'from a file' })
  })

  it('says with which exit code it ended, and what it had', async () => {
    alice.reach = 'queued'
    const outcome = await ask('message.send', {
      who: 'bob',
      text: 'hello',
      wait: 'delivered',
      timeout: 0
    })
    expect(outcome).toMatchObject({
      error: {
        code: -32000,
        data: { code: 'not-reached', exitCode: 3, result: { text: 'hello', state: 'queued' } }
      }
    })
  })

  it.each<[string, Record<string, unknown> | undefined, string]>([
    ['message.list', undefined, 'who is missing'],
    ['message.list', { who: 7 }, 'who is not a text'],
    ['message.list', { who: 'bob', limit: '5' }, 'no whole number'],
    ['message.list', { who: 'bob', limit: 0 }, 'no whole number from 1'],
    ['message.list', { who: 'bob', limits: 5 }, 'no parameter limits'],
    ['message.list', { who: 'bob', __proto__: { a: 1 }, constructor: 1 }, 'constructor'],
    ['message.send', { who: 'bob', text: 'x', wait: 'read' }, 'none of accepted, delivered'],
    ['message.send', { who: 'bob', text: [] }, 'no list of texts'],
    ['message.send', { who: 'bob', text: ['a', 1] }, 'not a text'],
    ['message.send', { who: 'bob', text: 'x'.repeat(70_000) }, 'longer than'],
    ['contact.list', { blocked: 'yes' }, 'not true or false']
  ])('%s %j is refused in words', async (method, params, words) => {
    const outcome = await ask(method, params)
    expect(outcome).toMatchObject({ error: { code: -32602, data: { code: 'usage' } } })
    expect(JSON.stringify(outcome)).toContain(words)
    expect(alice.messages).toEqual([])
  })

  it('fails as the command does', async () => {
    const outcome = await ask('message.send', { who: 'nobody', text: 'hello' })
    expect(outcome).toMatchObject({ error: { code: -32000, data: { code: 'unknown-contact' } } })
    expect(await ask('message.unsend', {})).toMatchObject({ error: { code: -32601 } })
    expect(await ask('chat', { who: 'bob' })).toMatchObject({ error: { code: -32601 } })
  })
})

describe('the description', () => {
  const document = describeMethods({ commands: COMMANDS, nouns: {} }) as {
    methods: { name: string; params: { name: string; required: boolean; schema: object }[] }[]
  }

  it('names every method that is carried out, once', () => {
    const commands = [...commandMethods({ commands: COMMANDS, nouns: {} }).keys()]
    const names = document.methods.map(({ name }) => name)
    expect(names).toEqual([...commands, ...METHODS.keys()])
    expect(new Set(names).size).toBe(names.length)
  })

  it('leaves out only what needs a terminal, goes on for ever, or makes the account', () => {
    const left = COMMANDS.filter(({ result }) => result === 'none').map(methodNameOf)
    expect(left.sort()).toEqual([
      'account.create',
      'chat',
      'completion',
      'daemon',
      'device.add',
      'device.link',
      'events',
      'message.watch',
      'openrpc',
      'tui'
    ])
  })

  it('has a schema for every argument and option', () => {
    const send = document.methods.find(({ name }) => name === 'message.send')
    expect(send?.params).toMatchObject([
      { name: 'who', required: true, schema: { type: 'string' } },
      { name: 'text', required: true },
      { name: 'wait', required: false, schema: { enum: ['accepted', 'delivered'] } },
      { name: 'timeout', required: false, schema: { type: 'integer', minimum: 0 } },
      { name: 'stdin', required: false }
    ])
  })

  it('is what rpc.discover answers and kith openrpc prints', async () => {
    const printed = await run(['openrpc', '--json'], { home, engine: world })
    expect(printed.json()).toEqual([await result('rpc.discover')])
  })
})
