// What makes the model change, and what has to be done about it: inputs of a step and the effects that follow.
import type {
  AccountView,
  ContactView,
  DeviceView,
  GapView,
  HomeView,
  MessageView,
  NodeEvent,
  NoticeView,
  RequestView,
  SafetyView
} from '@kith/node'
import type { SafeText } from '../../output.ts'
import type { Key } from '../key-decoder.ts'
import type { Model } from './model.ts'

/** What the messenger holds, read at once. */
export interface Loaded {
  readonly account: AccountView
  readonly homes: readonly HomeView[]
  readonly queued: number
  readonly contacts: readonly ContactView[]
  readonly requests: readonly RequestView[]
  readonly blocked: readonly ContactView[]
  readonly devices: readonly DeviceView[]
}

export interface Page {
  readonly messages: readonly MessageView[]
  readonly gaps: readonly GapView[]
  readonly notices: readonly NoticeView[]
}

export type Input =
  | { readonly type: 'key'; readonly key: Key; readonly nowMs: number }
  | { readonly type: 'resize'; readonly columns: number; readonly rows: number }
  | { readonly type: 'event'; readonly event: NodeEvent; readonly nowMs: number }
  | { readonly type: 'loaded'; readonly loaded: Loaded }
  /** The newest messages, or those before the first one known. */
  | {
      readonly type: 'page'
      readonly conversation: string
      readonly page: Page
      readonly isEarlier: boolean
    }
  | { readonly type: 'sent'; readonly message: MessageView }
  | {
      readonly type: 'not-sent'
      readonly conversation: string
      readonly text: string
      readonly why: SafeText
    }
  /** A link that did not work: it stands in its prompt again. */
  | {
      readonly type: 'link-refused'
      readonly kind: 'relay-link' | 'contact-link'
      readonly link: string
      readonly why: SafeText
    }
  | { readonly type: 'page-failed'; readonly conversation: string; readonly why: SafeText }
  | { readonly type: 'safety'; readonly safety: SafetyView }
  | { readonly type: 'verified'; readonly contact: ContactView }
  /** The holder of the store changed: what happened in between has to be read. */
  | { readonly type: 'reopened' }
  | { readonly type: 'created'; readonly words: readonly string[]; readonly nowMs: number }
  /** Came back from the editor. */
  | { readonly type: 'edited'; readonly conversation: string; readonly text: string }
  | { readonly type: 'contact'; readonly contact: ContactView }
  | { readonly type: 'status'; readonly text: SafeText; readonly isError: boolean }

/** What has to be done outside; each answers with inputs. */
export type Effect =
  | { readonly do: 'load' }
  | { readonly do: 'page'; readonly conversation: string; readonly who: string }
  | {
      readonly do: 'earlier'
      readonly conversation: string
      readonly who: string
      readonly before: string
    }
  | {
      readonly do: 'send'
      readonly conversation: string
      readonly to: string
      readonly text: string
    }
  | { readonly do: 'add-contact'; readonly link: string; readonly name: string }
  | { readonly do: 'accept'; readonly who: string; readonly name: string }
  | { readonly do: 'ignore' | 'block' | 'unblock' | 'safety'; readonly who: string }
  | { readonly do: 'verify'; readonly who: string; readonly digits: string }
  | { readonly do: 'rename-device'; readonly device: string; readonly name: string }
  | { readonly do: 'remove-device'; readonly device: string }
  | { readonly do: 'create-account'; readonly relay: string; readonly name: string }
  /** The account is there and its words are confirmed: open it. */
  | { readonly do: 'open' }
  | { readonly do: 'editor'; readonly conversation: string; readonly text: string }
  /** Into the clipboard of the terminal. */
  | { readonly do: 'copy'; readonly text: string }
  /** Write down theme and what was looked at. */
  | { readonly do: 'remember' }
  | { readonly do: 'quit' }

export interface Step {
  readonly model: Model
  readonly effects: readonly Effect[]
}

export const only = (model: Model, ...effects: readonly Effect[]): Step => ({ model, effects })
