// Everything the full-screen terminal shows, as plain data: what the messenger said, and where the person is.
import type {
  AccountView,
  ContactView,
  DeviceView,
  GapView,
  HomeView,
  MessageView,
  NoticeView,
  RequestView,
  SafetyView
} from '@kith/node'
import type { SafeText } from '../../output.ts'
import type { ThemeName } from '../theme.ts'
import { type Draft, EMPTY } from './draft.ts'

/** A conversation as far as it is loaded. */
export interface Chat {
  readonly contact: ContactView
  /** In the order that all devices agree on. */
  readonly messages: readonly MessageView[]
  readonly gaps: readonly GapView[]
  readonly notices: readonly NoticeView[]
  /** Whether earlier messages may be had. */
  readonly hasEarlier: boolean
  readonly isLoading: boolean
  /** Whether its first page has come. */
  readonly isRead: boolean
  /** `local` of the newest message that was looked at; undefined: all that the first page brings was. */
  readonly seen: number | undefined
  /** Rows between the newest line and the lowest one shown. */
  readonly scroll: number
  readonly draft: Draft
  readonly search: Search | undefined
}

export interface Search {
  readonly text: string
  /** `local` of the message that is shown as found. */
  readonly found: number | undefined
}

export type ScreenName =
  | 'welcome'
  | 'words'
  | 'chats'
  | 'people'
  | 'safety'
  | 'devices'
  | 'account'
  | 'help'

/** A line to be typed. */
export interface Prompt {
  readonly kind:
    | 'relay-link'
    | 'account-name'
    | 'word'
    | 'contact-link'
    | 'contact-name'
    | 'accept-name'
    | 'digits'
    | 'device-name'
    | 'search'
  readonly title: SafeText
  readonly draft: Draft
  /** Account, device, or what was typed before. */
  readonly subject: string
}

/** A question to be answered by y or n. */
export interface Question {
  readonly kind: 'ignore' | 'block' | 'unblock' | 'remove-device' | 'quit'
  readonly text: SafeText
  /** Account or device. */
  readonly subject: string
}

export interface Status {
  readonly text: SafeText
  readonly isError: boolean
}

export interface Model {
  readonly columns: number
  readonly rows: number
  readonly theme: ThemeName
  readonly screen: ScreenName
  /** Where Escape leads. */
  readonly back: readonly ScreenName[]
  readonly account: AccountView | undefined
  readonly homes: readonly HomeView[]
  readonly queued: number
  /** By conversation. */
  readonly chats: ReadonlyMap<string, Chat>
  readonly requests: readonly RequestView[]
  readonly blocked: readonly ContactView[]
  readonly devices: readonly DeviceView[]
  /** Conversation whose line is marked in the list, and open. */
  readonly current: string | undefined
  /** Whether keys go to the conversation, not to the list. */
  readonly isInChat: boolean
  /** Marked line by screen. */
  readonly selected: Readonly<Partial<Record<ScreenName, number>>>
  readonly safety: SafetyView | undefined
  /** 24 words, until they are confirmed. */
  readonly words: readonly string[]
  readonly prompt: Prompt | undefined
  readonly question: Question | undefined
  readonly status: Status | undefined
  /** Something is under way that the person waits for. */
  readonly isBusy: boolean
  /** Undefined at the very first start. */
  readonly seenBefore: SeenBefore | undefined
  /** Whether a theme with colours may be chosen. */
  readonly hasColors: boolean
}

/** From the record of this home: `local` of the newest message of a conversation that was looked at. */
export interface SeenBefore {
  get(conversation: string): number | undefined
}

export interface Beginning {
  readonly columns: number
  readonly rows: number
  readonly theme: ThemeName
  readonly hasAccount: boolean
  readonly hasColors: boolean
  readonly seenBefore: SeenBefore | undefined
}

export function initial({ hasAccount, ...rest }: Beginning): Model {
  return {
    ...rest,
    screen: hasAccount ? 'chats' : 'welcome',
    back: [],
    account: undefined,
    homes: [],
    queued: 0,
    chats: new Map(),
    requests: [],
    blocked: [],
    devices: [],
    current: undefined,
    isInChat: false,
    selected: {},
    safety: undefined,
    words: [],
    prompt: undefined,
    question: undefined,
    status: undefined,
    isBusy: false
  }
}

export const newChat = (contact: ContactView, seen: number | undefined): Chat => ({
  contact,
  messages: [],
  gaps: [],
  notices: [],
  hasEarlier: false,
  isLoading: false,
  isRead: false,
  seen,
  scroll: 0,
  draft: EMPTY,
  search: undefined
})

/** Received messages that nobody looked at here; counts what is loaded. */
export function unreadOf({ messages, seen }: Chat): number {
  if (seen === undefined) return 0
  return messages.filter(({ outgoing, local }) => !outgoing && local > seen).length
}

const latestOf = ({ messages }: Chat): number => messages.at(-1)?.storedAtMs ?? 0

/** As in the list: newest first, then by name. */
export function chatsInOrder({ chats }: Pick<Model, 'chats'>): readonly Chat[] {
  return [...chats.values()].sort(
    (one, other) =>
      latestOf(other) - latestOf(one) || (one.contact.name < other.contact.name ? -1 : 1)
  )
}

export const chatOf = (model: Model, conversation = model.current): Chat | undefined =>
  conversation === undefined ? undefined : model.chats.get(conversation)

/** The model with one chat changed; unchanged when there is no such chat. */
export function withChat(
  model: Model,
  conversation: string | undefined,
  change: (chat: Chat) => Chat
): Model {
  const chat = chatOf(model, conversation)
  if (chat === undefined) return model
  const chats = new Map(model.chats)
  chats.set(chat.contact.conversation, change(chat))
  return { ...model, chats }
}

export const say = (model: Model, text: SafeText): Model => ({
  ...model,
  status: { text, isError: false }
})

export const complain = (model: Model, text: SafeText): Model => ({
  ...model,
  status: { text, isError: true }
})

/** Goes to a screen from which Escape leads back. */
export const visit = (model: Model, screen: ScreenName): Model =>
  model.screen === screen ? model : { ...model, screen, back: [...model.back, model.screen] }

export function leave(model: Model): Model {
  const screen = model.back.at(-1)
  return screen === undefined ? model : { ...model, screen, back: model.back.slice(0, -1) }
}
