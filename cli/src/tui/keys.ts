// The keys of the full-screen terminal, in one table: what each does and where. The help shows it, ../../README.md repeats
// it, and steps look actions up in it.

/** Where a key is pressed. */
export type Place = 'everywhere' | 'list' | 'conversation' | 'people' | 'devices' | 'account'

export type Action =
  | 'quit'
  | 'help'
  | 'theme'
  | 'back'
  | 'up'
  | 'down'
  | 'first'
  | 'last'
  | 'open'
  | 'people'
  | 'devices'
  | 'account'
  | 'add'
  | 'send'
  | 'new-line'
  | 'page-up'
  | 'page-down'
  | 'search'
  | 'editor'
  | 'next-chat'
  | 'previous-chat'
  | 'verify'
  | 'accept'
  | 'ignore'
  | 'block'
  | 'rename'
  | 'copy'
  | 'remove'

export interface Binding {
  readonly place: Place
  /** Names as the decoder gives them. */
  readonly names: readonly string[]
  /** As people read them. */
  readonly shown: string
  readonly action: Action
  readonly what: string
}

const bind = (
  place: Place,
  names: readonly string[],
  shown: string,
  action: Action,
  what: string
): Binding => ({ place, names, shown, action, what })

const UP = ['up', 'k']
const DOWN = ['down', 'j']

export const BINDINGS: readonly Binding[] = [
  bind('everywhere', ['ctrl+c'], 'Ctrl-C', 'quit', 'leave; asks when a text is not sent'),
  bind('everywhere', ['f1'], 'F1', 'help', 'these keys'),
  bind('everywhere', ['ctrl+t'], 'Ctrl-T', 'theme', 'next theme: dark, light, plain'),
  bind('everywhere', ['escape'], 'Esc', 'back', 'back'),

  bind('list', UP, '↑ k', 'up', 'conversation above'),
  bind('list', DOWN, '↓ j', 'down', 'conversation below'),
  bind('list', ['enter', 'tab', 'right'], 'Enter Tab →', 'open', 'into the conversation'),
  bind('list', ['n'], 'n', 'add', 'add a contact by link'),
  bind('list', ['p'], 'p', 'people', 'contacts and requests'),
  bind('list', ['d'], 'd', 'devices', 'your devices'),
  bind('list', ['a'], 'a', 'account', 'your account and contact link'),
  bind('list', ['t'], 't', 'theme', 'next theme'),
  bind('list', ['?'], '?', 'help', 'these keys'),
  bind('list', ['q'], 'q', 'quit', 'leave'),

  bind('conversation', ['enter'], 'Enter', 'send', 'send'),
  bind(
    'conversation',
    ['alt+enter', 'ctrl+j', 'shift+enter'],
    'Alt-Enter Ctrl-J Shift-Enter',
    'new-line',
    'new line (Shift-Enter where the terminal tells it apart)'
  ),
  bind('conversation', ['ctrl+e'], 'Ctrl-E', 'editor', 'write in $VISUAL or $EDITOR'),
  bind('conversation', ['pageup'], 'PageUp', 'page-up', 'scroll up; at the top, load earlier ones'),
  bind('conversation', ['pagedown'], 'PageDown', 'page-down', 'scroll down'),
  bind('conversation', ['ctrl+f'], 'Ctrl-F', 'search', 'search what is loaded, upwards'),
  bind('conversation', ['ctrl+n'], 'Ctrl-N', 'next-chat', 'conversation below'),
  bind('conversation', ['ctrl+p'], 'Ctrl-P', 'previous-chat', 'conversation above'),
  bind('conversation', ['tab'], 'Tab', 'back', 'to the list (as Esc)'),

  bind('people', UP, '↑ k', 'up', 'person above'),
  bind('people', DOWN, '↓ j', 'down', 'person below'),
  bind('people', ['enter'], 'Enter', 'open', 'open the conversation; accept a request'),
  bind('people', ['a'], 'a', 'accept', 'accept a request'),
  bind('people', ['i'], 'i', 'ignore', 'ignore a request'),
  bind('people', ['b'], 'b', 'block', 'block, or unblock'),
  bind('people', ['v'], 'v', 'verify', 'safety number, to compare'),
  bind('people', ['n'], 'n', 'add', 'add a contact by link'),

  bind('account', ['c'], 'c', 'copy', 'copy the link, where the terminal lets programs copy'),

  bind('devices', UP, '↑ k', 'up', 'device above'),
  bind('devices', DOWN, '↓ j', 'down', 'device below'),
  bind('devices', ['r'], 'r', 'rename', 'rename, on this device only'),
  bind('devices', ['x'], 'x', 'remove', 'remove from the account, for good')
]

/** Places whose keys work on every screen that is a list. */
const SHARED: readonly Binding[] = [
  bind('everywhere', ['q'], 'q', 'back', 'back'),
  bind('everywhere', ['?'], '?', 'help', 'these keys'),
  bind('everywhere', ['t'], 't', 'theme', 'next theme'),
  bind('everywhere', UP, '↑', 'up', 'up'),
  bind('everywhere', DOWN, '↓', 'down', 'down'),
  bind('everywhere', ['pageup', 'home', 'g'], 'PageUp', 'first', 'to the top'),
  bind('everywhere', ['pagedown', 'end', 'G'], 'PageDown', 'last', 'to the bottom')
]

const find = (bindings: readonly Binding[], place: Place, name: string) =>
  bindings.find((one) => one.place === place && one.names.includes(name))?.action

/** What a key does there; undefined when nothing. Where text is typed, only the keys of that place and of everywhere. */
export function actionOf(place: Place, name: string): Action | undefined {
  const own = find(BINDINGS, place, name) ?? find(BINDINGS, 'everywhere', name)
  return own ?? (place === 'conversation' ? undefined : find(SHARED, 'everywhere', name))
}

/** The keys most needed there, for the last row of the screen. */
const HINTS: Readonly<Record<Place, string>> = {
  everywhere: 'Esc back  ? keys',
  list: 'Enter open  ? keys  q leave  n add  p people',
  conversation: 'Enter send  Esc list  F1 keys  Alt-Enter new line',
  people: 'Esc back  Enter open  a accept  b block  v verify  n add',
  devices: 'Esc back  r rename  x remove',
  account: 'Esc back  c copy the link'
}

export const hintOf = (place: Place): string => HINTS[place]
