// How a message, its state and a gap look as lines of text; the same in lists and chats.
import type { DeliveryState, GapView, MessageView, NodeEvent, NoticeView } from '@kith/node'
import { join, line, name, type Output, paragraph, type SafeText } from './output.ts'

/** Fixed width of two, so that a state can be overwritten in place. */
const MARKS: Readonly<Record<DeliveryState, SafeText>> = {
  queued: line`○ `,
  accepted: line`✓ `,
  delivered: line`✓✓`,
  received: line`  `
}

/** Column of the mark in a message line: after `hh:mm `. */
export const MARK_COLUMN = 6
/** Under the text of a message: no line of it looks like the beginning of another message. */
const MARGIN = line`      │ `

const RANK: Readonly<Record<DeliveryState, number>> = {
  queued: 0,
  accepted: 1,
  delivered: 2,
  received: 3
}

/** Whether `state` is `wanted` or beyond. */
export const hasReached = (state: DeliveryState, wanted: DeliveryState): boolean =>
  RANK[state] >= RANK[wanted]

export const markOf = (state: DeliveryState): SafeText => MARKS[state]

const twoDigits = (value: number): string => String(value).padStart(2, '0')

/** Local time of this machine, `hh:mm`. */
export function timeOf(atMs: number): string {
  const date = new Date(atMs)
  return Number.isNaN(date.getTime())
    ? '--:--'
    : `${twoDigits(date.getHours())}:${twoDigits(date.getMinutes())}`
}

/** Local date, `yyyy-mm-dd`. */
export function dayOf(atMs: number): string {
  const date = new Date(atMs)
  if (Number.isNaN(date.getTime())) return 'unknown day'
  return `${date.getFullYear()}-${twoDigits(date.getMonth() + 1)}-${twoDigits(date.getDate())}`
}

/** `delivered, direct`; `accepted by 1 relay`, why no further if known; `queued: <why>`. Empty for a received message. */
export function stateText(message: MessageView): string {
  if (message.state === 'received') return ''
  if (message.state === 'queued') {
    return message.reason === undefined ? 'queued' : `queued: ${message.reason}`
  }
  if (message.state === 'accepted') {
    const accepted = `accepted by ${message.relays} ${message.relays === 1 ? 'relay' : 'relays'}`
    return message.reason === undefined ? accepted : `${accepted}; ${message.reason}`
  }
  if (message.path === undefined) return 'delivered'
  return message.path === 'direct' ? 'delivered, direct' : 'delivered, by relay'
}

/**
 * `09:41 bob: text` for a received message, `09:41 ✓✓ alice: text` for an own one; with `withState` followed by the
 * state in words.
 */
export function messageLine(
  message: MessageView,
  output: Output,
  options: { withState: boolean }
): SafeText {
  const time = output.style('dim', line`${timeOf(message.sentAtMs)}`)
  const sender = output.style(message.outgoing ? 'green' : 'cyan', name(message.sender))
  const text = paragraph(message.text, MARGIN)
  if (!message.outgoing) return line`${time} ${sender}: ${text}`
  const words = options.withState ? stateText(message) : ''
  const state = words === '' ? line`` : output.style('dim', line`  (${words})`)
  return line`${time} ${markOf(message.state)} ${sender}: ${text}${state}`
}

export function gapLine({ missing }: GapView): SafeText {
  if ('message' in missing) return line`-- message ${missing.message} not here yet --`
  const { device, from, to } = missing
  const which = from === to ? `message ${from}` : `messages ${from} to ${to}`
  return line`-- ${which} of device ${device} not here yet --`
}

/** A line for an event that is not a message; undefined when people need not see it. */
export function eventLine(event: NodeEvent): SafeText | undefined {
  if (event.type === 'gap') return gapLine(event.gap)
  if (event.type === 'gap-closed') return join([line`-- found: `, gapLine(event.gap)])
  if (event.type === 'contact') return line`-- contact added: ${name(event.contact.name)} --`
  if (event.type === 'connection') {
    return line`-- relay ${event.relay} ${event.connected ? 'connected' : 'connection lost'} --`
  }
  if (event.type === 'request') {
    const { name: claimed, account } = event.request
    const who = name(claimed)
    return line`-- ${who} wants to talk: kith contact accept ${account.slice(0, 8)}, or ignore, or block --`
  }
  if (event.type === 'devices') return noticeLine(event)
  return event.type === 'notice' ? line`-- ${event.text} --` : undefined
}

export const noticeLine = ({ text }: { text: string }): SafeText => line`-- ${text} --`

/** Messages and notices by the time at which this device stored them; messages keep their order. */
export function interleave(
  messages: readonly MessageView[],
  notices: readonly NoticeView[]
): readonly ({ message: MessageView } | { notice: NoticeView })[] {
  const waiting = [...notices]
  const lines: ({ message: MessageView } | { notice: NoticeView })[] = []
  for (const message of messages) {
    while (waiting[0] !== undefined && waiting[0].atMs <= message.storedAtMs) {
      lines.push({ notice: waiting.shift() as NoticeView })
    }
    lines.push({ message })
  }
  return [...lines, ...waiting.map((notice) => ({ notice }))]
}
