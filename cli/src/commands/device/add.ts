// `kith device add`: shows a code for a new device, compares emoji with it, and takes it into the account.
import type { LinkView, MessengerApi, NodeEvent } from '@kith/node'
import { type Context, defineCommand } from '../../command.ts'
import { CommandError, failureOf } from '../../errors.ts'
import { line, name } from '../../output.ts'
import { compare } from './compare.ts'

export const deviceAdd = defineCommand({
  noun: 'device',
  verb: 'add',
  summary: 'Add another device of yours to this account',
  description:
    'Prints a code that is good for five minutes and for one device, and waits. Type or paste it on the new device:\n' +
    "kith device link '<code>'. Both devices then show six emoji; say yes only when they are the same on both, in the\n" +
    'same order. The new device gets your contacts and your whole history. Never send the code to anybody, whoever\n' +
    'asks for it: with it and your yes, they read and write as you. When the key file has a passphrase, it is asked\n' +
    'for again.',
  example: 'kith device add',
  arguments: [],
  result: 'none',
  options: [],
  async run(context: Context) {
    const { api } = await context.open()
    const ending = new AbortController()
    const signal = AbortSignal.any([context.signal, ending.signal])
    const events = api.events(signal)[Symbol.asyncIterator]()
    // Asked for before the link begins, so that nothing of it is missed.
    const first = events.next()
    try {
      const link = await start(context, api)
      await show(context, link)
      await follow(context, api, { events, first, signal })
    } finally {
      ending.abort()
      await Promise.resolve(first).catch(() => undefined)
    }
    return undefined
  }
})

/** With the passphrase that was given, or asked for when the key file has one. */
async function start(context: Context, api: MessengerApi): Promise<LinkView> {
  const given = await context.secrets.given()
  try {
    return await api.startLink(given === undefined ? {} : { passphrase: given })
  } catch (error) {
    if (failureOf(error).code !== 'passphrase-needed') throw error
    const passphrase = await context.secrets.ask('Passphrase, once more: ')
    if (passphrase === undefined) throw error
    return await api.startLink({ passphrase })
  }
}

async function show({ output }: Context, link: LinkView): Promise<void> {
  await output.value({ type: 'link', link })
  if (link.state !== 'waiting') return
  await output.print(line`On the new device, within five minutes:`)
  await output.print(line``)
  await output.print(output.style('bold', line`  kith device link '${link.code}'`))
  await output.print(line``)
  await output.notice(line`waiting for the new device; Ctrl-C cancels`)
}

interface Following {
  readonly events: AsyncIterator<NodeEvent>
  readonly first: Promise<IteratorResult<NodeEvent>>
  readonly signal: AbortSignal
}

async function follow(
  context: Context,
  api: MessengerApi,
  { events, first, signal }: Following
): Promise<void> {
  try {
    for (let item = await first; item.done !== true; item = await events.next()) {
      if (item.value.type !== 'link') continue
      if (await take(context, api, { link: item.value.link, signal })) return
    }
  } catch (error) {
    if (!context.signal.aborted) throw error
  }
  // Ctrl-C: the code is good for nothing any more.
  await api.cancelLink()
  throw new CommandError('interrupted', 'The link was cancelled. Nothing was linked.')
}

/** Whether this was the end of it. */
async function take(
  context: Context,
  api: MessengerApi,
  { link, signal }: { link: LinkView; signal: AbortSignal }
): Promise<boolean> {
  const { output } = context
  await output.value({ type: 'link', link })
  switch (link.state) {
    case 'comparing':
      await output.print(line`${name(link.name)} wants to join: ${link.device}`)
      void ask(context, api, { link, signal })
      return false
    case 'adding':
      await output.notice(line`adding ${name(link.name)}`)
      return false
    case 'linked':
      await output.print(line`✓ ${name(link.name)} is a device of your account  ${link.device}`)
      return true
    case 'failed':
      throw new CommandError(link.code, link.message, { hint: link.hint })
    case 'waiting':
      return false
  }
}

/** Beside the events: the link may end while the question stands. */
async function ask(
  context: Context,
  api: MessengerApi,
  { link, signal }: { link: Extract<LinkView, { state: 'comparing' }>; signal: AbortSignal }
): Promise<void> {
  try {
    const isSame = await compare(context, link.emoji, signal)
    if (signal.aborted) return
    if (isSame === undefined) await api.cancelLink()
    else await api.answerLink({ isSame })
  } catch (error) {
    if (!signal.aborted) await context.output.failure(error)
  }
}
