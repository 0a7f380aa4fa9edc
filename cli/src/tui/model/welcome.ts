// Steps of a first start: a join link, a name, the account, its recovery words, and proof that they were written down.
import { line } from '../../output.ts'
import { EMPTY } from './draft.ts'
import { complain, type Model, type Prompt, say } from './model.ts'
import { only, type Step } from './step-input.ts'

export const RELAY_PROMPT: Prompt = {
  kind: 'relay-link',
  title: line`Join link (kith:join/…): `,
  draft: EMPTY,
  subject: ''
}

/** On the way into an account nothing can be skipped; Ctrl-C leaves. */
export const mustAnswer = ({ kind }: Prompt): boolean => kind === 'relay-link' || kind === 'word'

export const askAccountName = (model: Model, relay: string): Model => ({
  ...model,
  prompt: {
    kind: 'account-name',
    title: line`Your name, as your contact link suggests it: `,
    draft: EMPTY,
    subject: relay
  }
})

const askWord = (index: number): Prompt => ({
  kind: 'word',
  title: line`Written down? Type word ${index + 1}: `,
  draft: EMPTY,
  subject: `${index}`
})

/** The moment decides which word is asked for. */
export const showWords = (model: Model, words: readonly string[], nowMs: number): Model => ({
  ...model,
  screen: 'words',
  isBusy: false,
  words,
  prompt: askWord(Math.abs(Math.floor(nowMs)) % Math.max(1, words.length))
})

export function confirmWord(model: Model, prompt: Prompt, text: string): Step {
  const wanted = model.words[Number(prompt.subject)]
  if (text.toLowerCase() !== wanted) {
    const again = { ...model, prompt: { ...prompt, draft: EMPTY } }
    return only(complain(again, line`That is not the word. They stand above; write them down.`))
  }
  const opened: Model = {
    ...model,
    words: [],
    prompt: undefined,
    screen: 'chats',
    isBusy: true
  }
  return only(say(opened, line`Opening your account…`), { do: 'open' })
}
