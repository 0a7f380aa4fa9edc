// Does what steps decide, through the messenger alone; what comes of it goes back in as inputs. Failures become words.
import type { MessengerApi } from '@kith/node'
import { failureOf } from '../errors.ts'
import { line, name, type SafeText } from '../output.ts'
import { PAGE_MESSAGES } from './model/chat.ts'
import type { Effect, Input } from './model/step-input.ts'

/** What happens outside the messenger; see run.node.tsx. */
export interface Surroundings {
  api(): MessengerApi
  dispatch(input: Input): void
  now(): number
  /** Resolves to the 24 words. */
  createAccount(options: { relay: string; name: string }): Promise<string>
  /** Opens the messenger of an account that was just made. */
  open(): Promise<void>
  /** Resolves to the text as it was left; undefined when it is to stay as it was. */
  editor(text: string): Promise<string | undefined>
  copy(text: string): void
  remember(): void
  quit(): void
}

/** What went wrong, and what helps, as one text for the last rows of the screen. */
export function wordsOf(error: unknown): SafeText {
  const { message, hint } = failureOf(error)
  return hint === undefined ? line`${message}` : line`${message} Try: ${hint}`
}

/** Runs a task; while it runs, further wishes for the same become one more run. */
class Coalesced {
  private readonly running = new Map<string, boolean>()

  async run(key: string, task: () => Promise<void>): Promise<void> {
    if (this.running.has(key)) {
      this.running.set(key, true)
      return
    }
    do {
      this.running.set(key, false)
      await task()
    } while (this.running.get(key) === true)
    this.running.delete(key)
  }
}

export class Effects {
  private readonly outside: Surroundings
  private readonly coalesced = new Coalesced()

  constructor(outside: Surroundings) {
    this.outside = outside
  }

  /** Never rejects. */
  async perform(effect: Effect): Promise<void> {
    try {
      await this.attempt(effect)
    } catch (error) {
      this.outside.dispatch(this.failed(effect, error))
    }
  }

  private failed(effect: Effect, error: unknown): Input {
    const why = wordsOf(error)
    if (effect.do === 'send') {
      return { type: 'not-sent', conversation: effect.conversation, text: effect.text, why }
    }
    if (effect.do === 'create-account') {
      return { type: 'link-refused', kind: 'relay-link', link: effect.relay, why }
    }
    if (effect.do === 'add-contact') {
      return { type: 'link-refused', kind: 'contact-link', link: effect.link, why }
    }
    if (effect.do === 'page' || effect.do === 'earlier') {
      return { type: 'page-failed', conversation: effect.conversation, why }
    }
    return { type: 'status', text: why, isError: true }
  }

  private attempt(effect: Effect): Promise<void> | void {
    const { outside } = this
    switch (effect.do) {
      case 'load':
        return this.coalesced.run('load', () => this.load())
      case 'page':
        return this.coalesced.run(effect.conversation, () => this.page(effect, undefined))
      case 'earlier':
        return this.page(effect, effect.before)
      case 'send':
        return this.send(effect)
      case 'create-account':
        return this.createAccount(effect)
      case 'open':
        return this.open()
      case 'editor':
        return this.edit(effect)
      case 'copy':
        return outside.copy(effect.text)
      case 'remember':
        return outside.remember()
      case 'quit':
        return outside.quit()
      default:
        return this.change(effect)
    }
  }

  private async load(): Promise<void> {
    const api = this.outside.api()
    const [account, status, contacts, requests, blocked, devices] = await Promise.all([
      api.account(),
      api.status(),
      api.listContacts(),
      api.listRequests(),
      api.listBlocked(),
      api.listDevices()
    ])
    const { homes, queued } = status
    const loaded = { account, homes, queued, contacts, requests, blocked, devices }
    this.outside.dispatch({ type: 'loaded', loaded })
  }

  private async page(
    { conversation, who }: { conversation: string; who: string },
    before: string | undefined
  ): Promise<void> {
    const page = await this.outside.api().listMessages({
      with: who,
      limit: PAGE_MESSAGES,
      ...(before === undefined ? {} : { before })
    })
    this.outside.dispatch({ type: 'page', conversation, page, isEarlier: before !== undefined })
  }

  private async send({ to, text }: Extract<Effect, { do: 'send' }>): Promise<void> {
    const message = await this.outside.api().sendMessage({ to, text })
    this.outside.dispatch({ type: 'sent', message })
  }

  private async createAccount(options: { relay: string; name: string }): Promise<void> {
    const words = await this.outside.createAccount(options)
    this.outside.dispatch({ type: 'created', words: words.split(' '), nowMs: this.outside.now() })
  }

  private async open(): Promise<void> {
    await this.outside.open()
    await this.load()
  }

  private async edit({ conversation, text }: Extract<Effect, { do: 'editor' }>): Promise<void> {
    const edited = await this.outside.editor(text)
    if (edited !== undefined) this.outside.dispatch({ type: 'edited', conversation, text: edited })
  }

  /** Changes of people and devices: done, said in words, and read again. */
  private async change(effect: Effect): Promise<void> {
    const said = await this.ask(effect)
    if (said === undefined) return
    this.outside.dispatch({ type: 'status', text: said, isError: false })
    await this.coalesced.run('load', () => this.load())
  }

  private async ask(effect: Effect): Promise<SafeText | undefined> {
    const api = this.outside.api()
    switch (effect.do) {
      case 'add-contact': {
        const { link, name: chosen } = effect
        const contact = await api.addContact({ link, ...(chosen === '' ? {} : { name: chosen }) })
        this.outside.dispatch({ type: 'contact', contact })
        return undefined
      }
      case 'accept': {
        const { who, name: chosen } = effect
        const contact = await api.acceptRequest({ who, ...(chosen === '' ? {} : { name: chosen }) })
        this.outside.dispatch({ type: 'contact', contact })
        return undefined
      }
      case 'ignore':
        return line`ignored ${name((await api.ignoreRequest(effect)).name)}`
      case 'block':
        return blockedWords(await api.blockContact(effect))
      case 'unblock':
        return blockedWords(await api.unblockContact(effect))
      case 'safety':
        this.outside.dispatch({ type: 'safety', safety: await api.safetyNumber(effect) })
        return undefined
      case 'verify':
        this.outside.dispatch({ type: 'verified', contact: await api.verifyContact(effect) })
        return undefined
      case 'rename-device':
        return line`now called ${name((await api.renameDevice(effect)).name)}`
      case 'remove-device':
        return line`removed ${name((await api.removeDevice(effect)).name)}`
      default:
        throw new Error(`nobody does ${effect.do}`)
    }
  }
}

function blockedWords({
  contact,
  relaysTold
}: Awaited<ReturnType<MessengerApi['blockContact']>>): SafeText {
  const done = contact.isBlocked ? line`blocked` : line`unblocked`
  const later = relaysTold === 0 ? line`; your relay learns it when it is reached` : line``
  return line`${done} ${name(contact.name)}${later}`
}
