// The forms that `kith id parse` knows, tried by how they begin.
import {
  ProtocolError,
  parseAccountId,
  parseContactLink,
  parseDeviceId,
  parseJoinLink
} from '@kith/protocols'
import { CommandError } from '../../errors.ts'

const CONTACT = 'kith:contact/'
const JOIN = 'kith:join/'

/** Throws CommandError `malformed-link` that says why. */
export function parseAnything(text: string) {
  const trimmed = text.trim()
  try {
    if (trimmed.startsWith(CONTACT)) return contact(trimmed)
    if (trimmed.startsWith(JOIN)) return join(trimmed)
    return /^[a-z2-7]{52}$/.test(trimmed) ? account(trimmed) : peer(trimmed)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    throw unreadable(error.detail)
  }
}

function contact(text: string) {
  const link = parseContactLink(text)
  const at = (name: string, id: string, addresses: readonly string[]) => [
    [name, id] as const,
    ...addresses.map((address) => ['', address] as const)
  ]
  return {
    type: 'contact-link' as const,
    value: link,
    parts: [
      ['account', link.account] as const,
      ['name', link.name] as const,
      ...link.relays.flatMap(({ relay, addresses }) => at('relay', relay, addresses)),
      ...(link.devices ?? []).flatMap(({ device, addresses }) => at('device', device, addresses))
    ]
  }
}

function join(text: string) {
  const link = parseJoinLink(text)
  return {
    type: 'join-link' as const,
    value: link,
    parts: [
      ['relay', link.relay] as const,
      ...link.addresses.map((address) => ['address', address] as const),
      ['invite', link.invite === '' ? 'none' : link.invite] as const
    ]
  }
}

function account(text: string) {
  const id = parseAccountId(text)
  return { type: 'account' as const, value: { account: id }, parts: [['account', id] as const] }
}

/** Both are keys: which of the two it is, only its use says. */
function peer(text: string) {
  const id = parseDeviceId(text)
  return { type: 'device-or-relay' as const, value: { id }, parts: [['id', id] as const] }
}

/** What nothing fits. */
function unreadable(reason: string): CommandError {
  return new CommandError('malformed-link', `This is no link and no id: ${reason}.`, {
    hint: 'A contact link begins with kith:contact/, a join link with kith:join/.'
  })
}
