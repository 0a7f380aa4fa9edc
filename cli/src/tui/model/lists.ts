// Steps of screens that are lists: the marked line, and what keys do to it.
import { line, name } from '../../output.ts'
import type { Action } from '../keys.ts'
import { openChat } from './chat.ts'
import { draftOf } from './draft.ts'
import { chatsInOrder, leave, type Model, say, visit } from './model.ts'
import { actOnPeople, askLink, peopleOf, prompt } from './people.ts'
import { only, type Step } from './step-input.ts'

/** Lines that can be marked; of the help, lines it can be scrolled by. */
function countOf(model: Model): number {
  if (model.screen === 'people') return peopleOf(model).length
  if (model.screen === 'devices') return model.devices.length
  return Number.POSITIVE_INFINITY
}

/** A step further up or down; `by` may be any number. */
function select(model: Model, by: number): Model {
  if (model.screen === 'chats') return selectChat(model, by)
  const at = (model.selected[model.screen] ?? 0) + by
  const index = Math.max(0, Math.min(countOf(model) - 1, at))
  return { ...model, selected: { ...model.selected, [model.screen]: index } }
}

export function selectChat(model: Model, by: number): Model {
  const order = chatsInOrder(model).map(({ contact }) => contact.conversation as string)
  const at = model.current === undefined ? -1 : order.indexOf(model.current)
  const index = Math.max(0, Math.min(order.length - 1, at + by))
  return { ...model, current: order[index] }
}

const MOVES: Readonly<Partial<Record<Action, number>>> = { up: -1, down: 1, first: -10, last: 10 }

export function act(model: Model, action: Action): Step {
  const by = MOVES[action]
  if (by !== undefined) return only(select(model, by))
  const own = actOnScreen(model, action)
  if (own !== undefined) return own
  switch (action) {
    case 'people':
      return only(visit(model, 'people'), { do: 'load' })
    case 'devices':
      return only(visit(model, 'devices'), { do: 'load' })
    case 'account':
      return only(visit(model, 'account'), { do: 'load' })
    case 'back':
      return only(leave(model))
    default:
      return only(model)
  }
}

function actOnScreen(model: Model, action: Action): Step | undefined {
  if (model.screen === 'people') return actOnPeople(model, action)
  if (model.screen === 'devices') return actOnDevices(model, action)
  if (model.screen === 'account') return action === 'copy' ? copyLink(model) : undefined
  if (model.screen !== 'chats') return undefined
  if (action === 'add') return only(askLink(model))
  if (action !== 'open') return undefined
  return model.current === undefined ? only(model) : openChat(model, model.current)
}

function copyLink(model: Model): Step {
  const { account } = model
  if (account === undefined) return only(model)
  // Terminals do not answer.
  const said = say(model, line`The link was handed to the terminal, to be pasted elsewhere.`)
  return only(said, { do: 'copy', text: account.link })
}

function actOnDevices(model: Model, action: Action): Step | undefined {
  const device = model.devices[Math.min(model.selected.devices ?? 0, model.devices.length - 1)]
  if (device === undefined) return undefined
  if (action === 'rename') {
    const title = line`New name of ${name(device.name)}: `
    const draft = draftOf(device.name)
    return only(prompt(model, { kind: 'device-name', title, draft, subject: device.device }))
  }
  if (action !== 'remove') return undefined
  const what = line`It reads and writes nothing more, and this cannot be taken back.`
  const text = line`Remove ${name(device.name)} from your account? ${what}`
  return only({ ...model, question: { kind: 'remove-device', text, subject: device.device } })
}
