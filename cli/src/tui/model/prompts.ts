// Steps of a line that is typed, and of a question: what an answer leads to.
import { failureOf } from '../../errors.ts'
import { checkName } from '../../message-text.ts'
import { line } from '../../output.ts'
import { searchUp } from './chat.ts'
import { cleanInput, EMPTY, edit, insert } from './draft.ts'
import { complain, leave, type Model, type Prompt, type Question, withChat } from './model.ts'
import { only, type Step } from './step-input.ts'
import { askAccountName, confirmWord, mustAnswer } from './welcome.ts'

/** A prompt is one line: breaks that a paste brings are left out. */
export function typeInPrompt(model: Model, text: string): Model {
  const { prompt } = model
  const draft = prompt && insert(prompt.draft, cleanInput(text).replaceAll('\n', ''))
  return prompt === undefined || draft === undefined
    ? model
    : { ...model, prompt: { ...prompt, draft } }
}

export function pressInPrompt(model: Model, key: string): Step {
  const { prompt } = model
  if (prompt === undefined) return only(model)
  if (key === 'escape') return only(mustAnswer(prompt) ? model : cancel(model, prompt))
  if (key === 'enter' || (key === 'ctrl+f' && prompt.kind === 'search')) {
    return submit({ ...model, status: undefined }, prompt)
  }
  const draft = edit(prompt.draft, key)
  return only(draft === undefined ? model : { ...model, prompt: { ...prompt, draft } })
}

function cancel(model: Model, { kind }: Prompt): Model {
  const without = { ...model, prompt: undefined }
  if (kind === 'digits') return leave(without)
  if (kind !== 'search') return without
  return withChat(without, model.current, (chat) => ({ ...chat, search: undefined }))
}

const closed = (model: Model): Model => ({ ...model, prompt: undefined })

/** A refused answer leaves the prompt as it is, with the reason below. */
function submit(model: Model, prompt: Prompt): Step {
  const text = prompt.draft.text.trim()
  try {
    return answer(model, prompt, text)
  } catch (error) {
    return only(complain(model, line`${failureOf(error).message}`))
  }
}

function answer(model: Model, prompt: Prompt, text: string): Step {
  const { subject } = prompt
  switch (prompt.kind) {
    case 'search':
      return searchUp(model, text)
    case 'contact-link':
      return only(text === '' ? closed(model) : askContactName(model, text))
    case 'contact-name':
      return only(closed(model), { do: 'add-contact', link: subject, name: nameOrNone(text) })
    case 'accept-name':
      return only(closed(model), { do: 'accept', who: subject, name: nameOrNone(text) })
    case 'digits':
      return text === ''
        ? only(cancel(model, prompt))
        : only(model, { do: 'verify', who: subject, digits: text })
    case 'device-name':
      return only(closed(model), {
        do: 'rename-device',
        device: subject,
        name: checkName(text, 'The name')
      })
    case 'relay-link':
      return only(text === '' ? model : askAccountName(model, text))
    case 'account-name':
      return only(
        { ...closed(model), isBusy: true },
        { do: 'create-account', relay: subject, name: checkName(text, 'The name') }
      )
    case 'word':
      return confirmWord(model, prompt, text)
  }
}

const nameOrNone = (text: string): string => (text === '' ? '' : checkName(text, 'The name'))

const askContactName = (model: Model, link: string): Model => ({
  ...model,
  prompt: {
    kind: 'contact-name',
    title: line`Your name for this person (empty: the name in the link): `,
    draft: EMPTY,
    subject: link
  }
})

/** y does it; every other key does not. */
export function answerQuestion(model: Model, question: Question, key: string): Step {
  const done = { ...model, question: undefined }
  if (key !== 'y' && key !== 'Y') return only(done)
  const { subject } = question
  switch (question.kind) {
    case 'quit':
      return only(done, { do: 'quit' })
    case 'remove-device':
      return only(done, { do: 'remove-device', device: subject })
    default:
      return only(done, { do: question.kind, who: subject })
  }
}
