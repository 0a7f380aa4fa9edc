// A step in one line of the trace: what came in, what goes out, and the numbers that matter.

const NUMBERS = ['transaction', 'after', 'local', 'number', 'ticket', 'request', 'delayMs', 'count']

function numbersOf(value: object): string {
  const fields = value as Readonly<Record<string, unknown>>
  const told = NUMBERS.filter((name) => typeof fields[name] === 'number')
  return told.map((name) => ` ${name}=${fields[name]}`).join('')
}

function wordOf(value: { readonly type: string }): string {
  const writes =
    'writes' in value && Array.isArray(value.writes) ? ` writes=${value.writes.length}` : ''
  const event = 'event' in value ? ` ${(value.event as { type: string }).type}` : ''
  return `${value.type}${event}${numbersOf(value)}${writes}`
}

/** `input → effect, effect`. */
export function lineOf(
  input: { readonly type: string },
  effects: readonly { readonly type: string }[]
): string {
  return `${wordOf(input)} → ${effects.map(wordOf).join(', ')}`
}
