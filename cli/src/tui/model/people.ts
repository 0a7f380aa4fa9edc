// Steps of the people screen: contacts, strangers who ask, who is blocked, and the safety number.
import type { ContactView, RequestView } from '@kith/node'
import { line, name } from '../../output.ts'
import type { Action } from '../keys.ts'
import { openChat } from './chat.ts'
import { EMPTY } from './draft.ts'
import { chatsInOrder, type Model, type Prompt, say } from './model.ts'
import { only, type Step } from './step-input.ts'

export type Person =
  | { readonly kind: 'request'; readonly account: string; readonly request: RequestView }
  | {
      readonly kind: 'contact' | 'blocked'
      readonly account: string
      readonly contact: ContactView
    }

/** Requests first: they wait for an answer. */
export function peopleOf(model: Model): readonly Person[] {
  const contacts = chatsInOrder(model).map(({ contact }) => contact)
  contacts.sort((one, other) => (one.name < other.name ? -1 : 1))
  return [
    ...model.requests.map(
      (request): Person => ({ kind: 'request', account: request.account, request })
    ),
    ...contacts.map((contact): Person => ({ kind: 'contact', account: contact.account, contact })),
    ...model.blocked.map(
      (contact): Person => ({ kind: 'blocked', account: contact.account, contact })
    )
  ]
}

export const selectedPersonIndex = (model: Model): number =>
  Math.max(0, Math.min(model.selected.people ?? 0, peopleOf(model).length - 1))

const nameOf = (person: Person) =>
  name(person.kind === 'request' ? person.request.name : person.contact.name)

export const LINK_PROMPT: Prompt = {
  kind: 'contact-link',
  title: line`Contact link (kith:contact/…): `,
  draft: EMPTY,
  subject: ''
}

export const askLink = (model: Model): Model => prompt(model, LINK_PROMPT)

export const prompt = (model: Model, asked: Prompt): Model => ({ ...model, prompt: asked })

export function actOnPeople(model: Model, action: Action): Step | undefined {
  if (action === 'add') return only(askLink(model))
  const person = peopleOf(model)[selectedPersonIndex(model)]
  if (person === undefined) return undefined
  if (action === 'open' && person.kind === 'contact') {
    return openChat(model, person.contact.conversation)
  }
  if (person.kind === 'request') return actOnRequest(model, action, person)
  if (action === 'verify') return only(model, { do: 'safety', who: person.account })
  if (action === 'block') return only(askBlock(model, person))
  return undefined
}

function actOnRequest(model: Model, action: Action, person: Person): Step | undefined {
  const { account } = person
  if (action === 'accept' || action === 'open') {
    const title = line`Your name for ${nameOf(person)} (empty: the name it chose): `
    return only(prompt(model, { kind: 'accept-name', title, draft: EMPTY, subject: account }))
  }
  if (action === 'ignore') {
    const text = line`Ignore ${nameOf(person)} for good? It is told nothing.`
    return only({ ...model, question: { kind: 'ignore', text, subject: account } })
  }
  if (action === 'verify') return only(say(model, line`Accept first; then compare.`))
  return action === 'block' ? only(askBlock(model, person)) : undefined
}

function askBlock(model: Model, person: Person): Model {
  const kind = person.kind === 'blocked' ? 'unblock' : 'block'
  const text =
    kind === 'block'
      ? line`Block ${nameOf(person)}? Nothing more is taken from this account.`
      : line`Take messages of ${nameOf(person)} again?`
  return { ...model, question: { kind, text, subject: person.account } }
}
