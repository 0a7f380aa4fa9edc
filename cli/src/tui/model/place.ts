// Which keys hold: where on the screen the person is.
import type { Place } from '../keys.ts'
import type { Model, ScreenName } from './model.ts'

const PLACES: Readonly<Partial<Record<ScreenName, Place>>> = {
  people: 'people',
  devices: 'devices',
  account: 'account'
}

export function placeOf(model: Model): Place {
  if (model.screen !== 'chats') return PLACES[model.screen] ?? 'everywhere'
  return model.isInChat ? 'conversation' : 'list'
}
