// Steps of a conversation: what arrives, what is looked at, scrolling, earlier pages, searching, writing.
import type { GapView, MessageView, NoticeView } from '@kith/node'
import { failureOf } from '../../errors.ts'
import { checkText } from '../../message-text.ts'
import { line } from '../../output.ts'
import { hasReached } from '../../transcript.ts'
import { composerRows } from '../composer-layout.ts'
import { composerRowsMax, layoutOf, messageRows } from '../layout.ts'
import { transcriptRows } from '../widgets/transcript-rows.ts'
import { draftOf, EMPTY, edit, insert } from './draft.ts'
import { type Chat, chatOf, chatsInOrder, complain, type Model, withChat } from './model.ts'
import { type Effect, only, type Page, type Step } from './step-input.ts'

/** Messages read at a time; also what a chat is brought up to date with. */
export const PAGE_MESSAGES = 50
/** Kept of one conversation; beyond that the earliest go, and are read again when somebody looks for them. */
const MESSAGES_MAX = 5_000

const newestOf = (messages: readonly MessageView[]): number =>
  messages.reduce((newest, { local }) => Math.max(newest, local), 0)

/** Columns of the conversation, also while it is not shown. */
const columnsOf = (model: Model): number => layoutOf({ ...model, isInChat: true }).chatColumns

const rowsOf = (model: Model, chat: Chat): number => transcriptRows(chat, columnsOf(model)).length

/** Rows of messages in sight. */
export function heightOf(model: Model, chat: Chat): number {
  const layout = layoutOf({ ...model, isInChat: true })
  const { rows } = composerRows(chat.draft, layout.chatColumns)
  return messageRows(layout, Math.min(rows.length, composerRowsMax(layout)))
}

const scrollMax = (model: Model, chat: Chat): number =>
  Math.max(0, rowsOf(model, chat) - heightOf(model, chat))

/** Whoever reads further up stays there when something is added below. */
function changeBelow(model: Model, conversation: string, change: (chat: Chat) => Chat): Model {
  return withChat(model, conversation, (chat) => {
    const changed = change(chat)
    if (chat.scroll === 0) return changed
    const grown = rowsOf(model, changed) - rowsOf(model, chat)
    return { ...changed, scroll: Math.max(0, chat.scroll + grown) }
  })
}

/** What is in sight counts as looked at. */
export function look(model: Model): Step {
  const chat = chatOf(model)
  const isShown = model.screen === 'chats' && model.isInChat && chat?.scroll === 0
  if (!isShown) return only(model)
  const seen = Math.max(chat.seen ?? 0, newestOf(chat.messages))
  if (seen === chat.seen) return only(model)
  return only(
    withChat(model, model.current, (one) => ({ ...one, seen })),
    { do: 'remember' }
  )
}

export const pageEffect = ({ contact }: Chat): Effect => ({
  do: 'page',
  conversation: contact.conversation,
  who: contact.account
})

export function openChat(model: Model, conversation: string): Step {
  const opened: Model = {
    ...model,
    screen: 'chats',
    back: [],
    current: conversation,
    isInChat: true
  }
  const chat = chatOf(opened)
  if (chat === undefined) return only(model)
  const { model: looked, effects } = look(opened)
  return only(looked, ...effects, pageEffect(chat))
}

/** A message or a newer state of one. Messages that may belong further up are put there by the page that is asked for. */
export function takeMessage(model: Model, message: MessageView): Step {
  const chat = chatOf(model, message.conversation)
  if (chat === undefined) return only(model, { do: 'load' })
  const known = chat.messages.find(({ local }) => local === message.local)
  if (known !== undefined && hasReached(known.state, message.state) && known.id === message.id) {
    if (known.reason === message.reason && known.path === message.path) return only(model)
  }
  const messages =
    known === undefined
      ? [...chat.messages, message]
      : chat.messages.map((one) => (one === known ? message : one))
  const taken = changeBelow(model, message.conversation, (one) => ({ ...one, messages }))
  const { model: looked, effects } = look(taken)
  return only(looked, ...effects, ...(known === undefined ? [pageEffect(chat)] : []))
}

/** Whichever view of a message got further; a page may be older than an event. */
function newer(one: MessageView, other: MessageView | undefined): MessageView {
  if (other === undefined) return one
  return hasReached(one.state, other.state) ? one : other
}

function merge(chat: Chat, page: Page, isEarlier: boolean): Chat {
  const known = new Map(chat.messages.map((message) => [message.local, message]))
  const paged = page.messages.map((message) => newer(message, known.get(message.local)))
  const locals = new Set(paged.map(({ local }) => local))
  const others = chat.messages.filter(({ local }) => !locals.has(local))
  const newest = newestOf(paged)
  const isFull = page.messages.length >= PAGE_MESSAGES
  if (isEarlier) {
    const messages = [...paged, ...others]
    return { ...chat, messages, hasEarlier: isFull, isLoading: false }
  }
  // What came while the page was read is newer than all of it.
  const before = others.filter(({ local }) => local <= newest)
  const after = others.filter(({ local }) => local > newest)
  const hasEarlier = before.length > 0 ? chat.hasEarlier : isFull
  return { ...chat, messages: [...before, ...paged, ...after], hasEarlier, isLoading: false }
}

/** Earlier pages bring the notices of their time with them. */
function mergeNotices(known: readonly NoticeView[], found: readonly NoticeView[]): NoticeView[] {
  const keys = new Set(found.map(({ atMs, text }) => `${atMs} ${text}`))
  const others = known.filter(({ atMs, text }) => !keys.has(`${atMs} ${text}`))
  return [...others, ...found].sort((one, other) => one.atMs - other.atMs)
}

export function takePage(
  model: Model,
  input: { conversation: string; page: Page; isEarlier: boolean }
): Step {
  const { conversation, page, isEarlier } = input
  const change = (chat: Chat): Chat => {
    const merged = merge(chat, page, isEarlier)
    const notices = mergeNotices(chat.notices, page.notices)
    const messages = merged.messages.slice(-MESSAGES_MAX)
    const seen = chat.seen ?? newestOf(messages)
    return { ...merged, messages, notices, gaps: page.gaps, seen, isRead: true }
  }
  // Rows above move nothing that is counted from below.
  const paged = isEarlier
    ? withChat(model, conversation, change)
    : changeBelow(model, conversation, change)
  return look(markNewest(model, paged))
}

/** When all conversations have been read for the first time, the newest is the marked one. */
function markNewest(before: Model, model: Model): Model {
  const isWhole = ({ chats }: Model) => [...chats.values()].every(({ isRead }) => isRead)
  if (model.isInChat || isWhole(before) || !isWhole(model)) return model
  return { ...model, current: chatsInOrder(model)[0]?.contact.conversation }
}

const gapKey = (gap: GapView): string => JSON.stringify(gap.missing)

export function takeGap(model: Model, gap: GapView, isClosed: boolean): Model {
  return changeBelow(model, gap.conversation, (chat) => {
    const others = chat.gaps.filter((one) => gapKey(one) !== gapKey(gap))
    return { ...chat, gaps: isClosed ? others : [...others, gap] }
  })
}

export const takeNotice = (model: Model, notice: NoticeView): Model =>
  changeBelow(model, notice.conversation, (chat) => ({
    ...chat,
    notices: mergeNotices(chat.notices, [notice])
  }))

/** Up is positive. At the top the page before is asked for. */
export function scrollBy(model: Model, rows: number): Step {
  const chat = chatOf(model)
  if (chat === undefined) return only(model)
  const max = scrollMax(model, chat)
  const scroll = Math.min(max, Math.max(0, chat.scroll + rows))
  const scrolled = withChat(model, model.current, (one) => ({ ...one, scroll }))
  if (rows < 0 || scroll < max || !chat.hasEarlier || chat.isLoading) return look(scrolled)
  const before = chat.messages.find(({ id }) => id !== undefined)?.id
  if (before === undefined) return look(scrolled)
  const { account, conversation } = chat.contact
  return only(
    withChat(scrolled, model.current, (one) => ({ ...one, isLoading: true })),
    { do: 'earlier', conversation, who: account, before }
  )
}

/** The next message above the one found last that holds the text; case does not matter. */
export function searchUp(model: Model, text: string): Step {
  const chat = chatOf(model)
  const wanted = text.toLowerCase()
  if (chat === undefined || wanted === '') return only(model)
  const isOn = chat.search?.text === text
  const index = isOn ? chat.messages.findIndex(({ local }) => local === chat.search?.found) : -1
  const above = index < 0 ? chat.messages : chat.messages.slice(0, index)
  const found = above.findLast((message) => message.text.toLowerCase().includes(wanted))
  if (found === undefined) {
    const where = index < 0 ? line`the loaded messages` : line`loaded messages further up`
    return only(complain(model, line`"${text}" is not in ${where}. PageUp loads earlier ones.`))
  }
  const search = { text, found: found.local }
  const marked = withChat(model, model.current, (one) => ({ ...one, search }))
  return only(withChat(marked, model.current, (one) => reveal(marked, one, found.local)))
}

/** Scrolls so that the first row of a message stands in the middle, as far as there are rows. */
function reveal(model: Model, chat: Chat, local: number): Chat {
  const rows = transcriptRows(chat, columnsOf(model))
  const at = rows.findIndex((row) => row.local === local)
  const below = rows.length - 1 - at
  const wanted = below - Math.floor(heightOf(model, chat) / 2)
  return { ...chat, scroll: Math.max(0, Math.min(wanted, scrollMax(model, chat))) }
}

/** Hands the draft over; refused texts stay with the reason in words. */
export function send(model: Model): Step {
  const chat = chatOf(model)
  if (chat === undefined || chat.draft.text.trim() === '') return only(model)
  const { text } = chat.draft
  try {
    checkText(text)
  } catch (error) {
    return only(complain(model, line`${failureOf(error).message}`))
  }
  const { account, conversation } = chat.contact
  const sent = withChat(model, conversation, (one) => ({ ...one, draft: EMPTY, scroll: 0 }))
  return only(sent, { do: 'send', conversation, to: account, text })
}

/** Nothing typed is lost: the text stands in the composer again, before what was typed since. */
export function takeBack(model: Model, conversation: string, text: string): Model {
  return withChat(model, conversation, (chat) => {
    const since = chat.draft.text
    return { ...chat, draft: draftOf(since === '' ? text : `${text}\n${since}`) }
  })
}

export function write(model: Model, text: string): Model {
  const chat = chatOf(model)
  const draft = chat === undefined ? undefined : insert(chat.draft, text)
  if (draft === undefined) return complain(model, line`The text is too long; this was left out.`)
  return withChat(model, model.current, (one) => ({ ...one, draft }))
}

/** Undefined when the key is none of writing. */
export function editDraft(model: Model, key: string): Model | undefined {
  const chat = chatOf(model)
  const draft = chat === undefined ? undefined : edit(chat.draft, key)
  return draft && withChat(model, model.current, (one) => ({ ...one, draft }))
}
