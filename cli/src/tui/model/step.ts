// One step of the full-screen terminal: what was there and what came make what is there now and what has to be done.
// Decides everything, does nothing.
import type { NodeEvent } from '@kith/node'
import { line, name } from '../../output.ts'
import { type Action, actionOf } from '../keys.ts'
import { nextTheme } from '../theme.ts'
import {
  editDraft,
  heightOf,
  look,
  openChat,
  pageEffect,
  scrollBy,
  send,
  takeBack,
  takeGap,
  takeMessage,
  takeNotice,
  takePage,
  write
} from './chat.ts'
import { cleanInput, draftOf, EMPTY } from './draft.ts'
import { act, selectChat } from './lists.ts'
import {
  chatOf,
  chatsInOrder,
  complain,
  leave,
  type Model,
  newChat,
  say,
  visit,
  withChat
} from './model.ts'
import { LINK_PROMPT } from './people.ts'
import { placeOf } from './place.ts'
import { answerQuestion, pressInPrompt, typeInPrompt } from './prompts.ts'
import { type Effect, type Input, type Loaded, only, type Step } from './step-input.ts'
import { RELAY_PROMPT, showWords } from './welcome.ts'

export function step(model: Model, input: Input): Step {
  switch (input.type) {
    case 'key':
      return takeKey({ ...model, status: undefined }, input.key)
    case 'resize':
      return scrollBy({ ...model, columns: input.columns, rows: input.rows }, 0)
    case 'event':
      return takeEvent(model, input.event, input.nowMs)
    case 'loaded':
      return takeLoaded(model, input.loaded)
    case 'page':
      return takePage(model, input)
    case 'link-refused':
      return only(askLinkAgain(model, input))
    case 'page-failed':
      return only(
        complain(
          withChat(model, input.conversation, (chat) => ({ ...chat, isLoading: false })),
          input.why
        )
      )
    case 'sent':
      return takeMessage(model, input.message)
    case 'not-sent':
      return only(
        complain(takeBack(model, input.conversation, input.text), line`Not sent: ${input.why}`)
      )
    case 'safety':
      return only(showSafety({ ...model, safety: input.safety }))
    case 'verified': {
      const closed = leave({ ...model, prompt: undefined, safety: undefined })
      return only(say(closed, line`✓ ${name(input.contact.name)} is verified.`), { do: 'load' })
    }
    case 'reopened':
      return only(model, { do: 'load' }, ...[...model.chats.values()].map(pageEffect))
    case 'created':
      return only(showWords(model, input.words, input.nowMs))
    case 'edited': {
      const draft = draftOf(cleanInput(input.text))
      return only(withChat(model, input.conversation, (chat) => ({ ...chat, draft })))
    }
    case 'contact':
      return only(
        say(
          model,
          line`${name(input.contact.name)} is a contact now: Enter opens the conversation.`
        ),
        { do: 'load' }
      )
    case 'status':
      return only({
        ...(input.isError ? complain(model, input.text) : say(model, input.text)),
        isBusy: false
      })
  }
}

/** Nobody pastes a link twice because it held a slip. */
function askLinkAgain(model: Model, { kind, link, why }: Extract<Input, { type: 'link-refused' }>) {
  const asked = kind === 'relay-link' ? RELAY_PROMPT : LINK_PROMPT
  const prompt = model.prompt ?? { ...asked, draft: draftOf(link) }
  return { ...complain(model, why), isBusy: false, prompt }
}

function takeKey(model: Model, key: Extract<Input, { type: 'key' }>['key']): Step {
  if (key.type !== 'key') return takeText(model, key.text, key.type === 'paste')
  const isQuit = actionOf('everywhere', key.name) === 'quit'
  if (isQuit) return quit(model)
  if (model.question !== undefined) return answerQuestion(model, model.question, key.name)
  if (model.prompt !== undefined) return pressInPrompt(model, key.name)
  const place = placeOf(model)
  const action = actionOf(place, key.name)
  if (place === 'conversation') return takeChatKey(model, key.name, action)
  return action === undefined ? only(model) : takeAction(model, action)
}

/** Typed characters are text where text is typed, and keys elsewhere. */
function takeText(model: Model, text: string, isPaste: boolean): Step {
  if (model.question !== undefined) return answerQuestion(model, model.question, text)
  if (model.prompt !== undefined) return only(typeInPrompt(model, text))
  if (placeOf(model) === 'conversation') return only(write(model, text))
  if (isPaste)
    return only(complain(model, line`Nothing is written here: open a conversation first.`))
  let result = only(model)
  for (const name of text) {
    const { model: next, effects } = takeKey(result.model, { type: 'key', name })
    result = only(next, ...result.effects, ...effects)
  }
  return result
}

function takeAction(model: Model, action: Action): Step {
  if (action === 'quit') return quit(model)
  if (action === 'help') {
    return only(model.screen === 'help' ? leave(model) : visit(model, 'help'))
  }
  if (action === 'theme') {
    if (!model.hasColors) return only(say(model, line`NO_COLOR is set: the theme stays plain.`))
    const theme = nextTheme(model.theme)
    return only(say({ ...model, theme }, line`Theme: ${theme}`), { do: 'remember' })
  }
  return act(model, action)
}

/** Asks when something would be lost; a second Ctrl-C does not wait for the answer. */
function quit(model: Model): Step {
  const isWaiting = model.question?.kind === 'quit'
  const hasDraft = [...model.chats.values()].some(({ draft }) => draft.text.trim() !== '')
  if (isWaiting || (!hasDraft && model.words.length === 0)) return only(model, { do: 'quit' })
  const text =
    model.words.length > 0
      ? line`The recovery words are not shown again. Leave all the same?`
      : line`A text is not sent and would be lost. Leave all the same?`
  return only({ ...model, question: { kind: 'quit', text, subject: '' } })
}

function takeChatKey(model: Model, key: string, action: Action | undefined): Step {
  const chat = chatOf(model)
  if (chat === undefined) return only({ ...model, isInChat: false })
  const page = Math.max(1, heightOf(model, chat) - 1)
  switch (action) {
    case 'send':
      return send(model)
    case 'new-line':
      return only(write(model, '\n'))
    case 'page-up':
      return scrollBy(model, page)
    case 'page-down':
      return scrollBy(model, -page)
    case 'back':
      return only({ ...model, isInChat: false })
    case 'search': {
      const title = line`Search upwards: `
      return only({ ...model, prompt: { kind: 'search', title, draft: EMPTY, subject: '' } })
    }
    case 'editor': {
      const { conversation } = chat.contact
      return only(model, { do: 'editor', conversation, text: chat.draft.text })
    }
    case 'next-chat':
    case 'previous-chat': {
      const { current } = selectChat(model, action === 'next-chat' ? 1 : -1)
      return current === undefined ? only(model) : openChat(model, current)
    }
    default:
      return action === undefined ? writeOrScroll(model, key) : takeAction(model, action)
  }
}

/** With nothing written, the arrows scroll. */
function writeOrScroll(model: Model, key: string): Step {
  const isEmpty = chatOf(model)?.draft.text === ''
  if (isEmpty && (key === 'up' || key === 'down')) return scrollBy(model, key === 'up' ? 1 : -1)
  return only(editDraft(model, key) ?? model)
}

function takeEvent(model: Model, event: NodeEvent, nowMs: number): Step {
  switch (event.type) {
    case 'message':
    case 'state':
      return takeMessage(model, event.message)
    case 'gap':
    case 'gap-closed':
      return only(takeGap(model, event.gap, event.type === 'gap-closed'))
    case 'connection': {
      const homes = model.homes.map((home) =>
        home.relay === event.relay ? { ...home, connected: event.connected } : home
      )
      return only({ ...model, homes })
    }
    case 'devices': {
      const { conversation, text } = event
      return only(takeNotice(model, { conversation, text, atMs: nowMs }), { do: 'load' })
    }
    case 'request': {
      const who = name(event.request.name)
      return only(say(model, line`${who} wants to talk to you: see people (p).`), { do: 'load' })
    }
    case 'notice':
      return only(say(model, line`${event.text}`))
    case 'contact':
    case 'link':
      return only(model, { do: 'load' })
  }
}

/** Chats that stay keep what is loaded and written; for new ones the newest page is read. */
function takeLoaded(model: Model, loaded: Loaded): Step {
  const { contacts, ...rest } = loaded
  const effects: Effect[] = []
  const chats = new Map(
    contacts.map((contact) => {
      const known = model.chats.get(contact.conversation)
      if (known !== undefined) return [contact.conversation as string, { ...known, contact }]
      const { conversation, account } = contact
      effects.push({ do: 'page', conversation, who: account })
      const seen = model.seenBefore && (model.seenBefore.get(conversation) ?? 0)
      return [conversation as string, newChat(contact, seen)]
    })
  )
  const next: Model = { ...model, ...rest, chats, isBusy: false, ...remembered(model) }
  const current = next.current !== undefined && chats.has(next.current) ? next.current : undefined
  const first = chatsInOrder(next)[0]?.contact.conversation
  const isInChat = next.isInChat && current !== undefined
  const { model: looked, effects: more } = look({ ...next, current: current ?? first, isInChat })
  return only(looked, ...effects, ...more)
}

/** Without a record everything of the first time counts as looked at; chats that come later do not. */
const remembered = ({ seenBefore }: Model) => ({ seenBefore: seenBefore ?? new Map() })

function showSafety(model: Model): Model {
  const who = model.safety?.contact
  if (who === undefined) return model
  const title = line`Digits that ${name(who.name)} sees: `
  const prompt = { kind: 'digits', title, draft: EMPTY, subject: who.account } as const
  return { ...visit(model, 'safety'), prompt }
}
