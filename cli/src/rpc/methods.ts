// The methods of the local socket, from one table: name, parameters, whether asking twice is harmless, and the call of
// MessengerApi behind each. `events` and `cancel` belong to a connection and live in socket/server.node.ts.
import type { MessengerApi } from '@kith/node'
import { CommandError } from '../errors.ts'
import { checkName, checkText } from '../message-text.ts'
import { CONTACT_METHODS } from './contact-methods.ts'
import { DEVICE_METHODS } from './device-methods.ts'
import { EVENT_METHODS } from './event-methods.ts'
import type { RpcParams } from './json-rpc.ts'

/** Newest messages of a conversation that one request may ask for; MessengerApi's own bound. */
export const LIST_LIMIT_MAX = 1_000
/** Longest contact link, and longest `to`; protocols/src/links.ts refuses longer ones too. */
const LINK_CHARACTERS_MAX = 2_048

/** Longest passphrase; secrets.node.ts takes no longer one. */
const SECRET_CHARACTERS_MAX = 4_096

type Kind = 'id' | 'link' | 'name' | 'who' | 'text' | 'number' | 'digits' | 'secret' | 'flag'

export interface ParamSpec {
  readonly kind: Kind
  readonly optional?: true
  /** Of a number. */
  readonly min?: number
  readonly max?: number
}

export interface Method {
  readonly summary: string
  readonly params: Readonly<Record<string, ParamSpec>>
  /** Carried out twice it does the same as once: may be repeated when the connection was lost. */
  readonly isRepeatable: boolean
  /** The signal ends what waits. */
  readonly call: (api: MessengerApi, params: ReadParams, signal: AbortSignal) => Promise<unknown>
}

/** Checked parameters: only declared ones, each of its kind. */
export interface ReadParams {
  text(key: string): string
  optionalText(key: string): string | undefined
  optionalNumber(key: string): number | undefined
  flag(key: string): boolean
}

export const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ...CONTACT_METHODS,
  ...DEVICE_METHODS,
  ...EVENT_METHODS,
  [
    'account',
    {
      summary: 'AccountView of the account in this home',
      params: {},
      isRepeatable: true,
      call: (api) => api.account()
    }
  ],
  [
    'status',
    {
      summary: 'StatusView: homes, queued messages, gaps',
      params: {},
      isRepeatable: true,
      call: (api) => api.status()
    }
  ],
  [
    'listEvidence',
    {
      summary: 'EvidenceView of everything that relays signed and contradicted',
      params: {},
      isRepeatable: true,
      call: (api) => api.listEvidence()
    }
  ],
  [
    'sendMessage',
    {
      summary: 'stores a message in the outbox; MessageView',
      params: { to: { kind: 'who' }, text: { kind: 'text' } },
      isRepeatable: false,
      call: (api, params) => api.sendMessage({ to: params.text('to'), text: params.text('text') })
    }
  ],
  [
    'listMessages',
    {
      summary: 'newest messages, or the newest before one, and the gaps of one conversation',
      params: {
        with: { kind: 'who' },
        limit: { kind: 'number', min: 1, max: LIST_LIMIT_MAX, optional: true },
        before: { kind: 'id', optional: true }
      },
      isRepeatable: true,
      call(api, params) {
        const limit = params.optionalNumber('limit')
        const before = params.optionalText('before')
        return api.listMessages({
          with: params.text('with'),
          ...(limit === undefined ? {} : { limit }),
          ...(before === undefined ? {} : { before })
        })
      }
    }
  ]
])

function invalid(why: string): never {
  throw new CommandError('malformed', `Invalid parameters: ${why}.`)
}

function checkParam(key: string, value: unknown, spec: ParamSpec): string | number | boolean {
  const { kind, min = 0, max = Number.MAX_SAFE_INTEGER } = spec
  if (kind === 'flag') {
    if (typeof value !== 'boolean') invalid(`${key} is not true or false`)
    return value
  }
  if (kind === 'number') {
    if (typeof value !== 'number' || !Number.isInteger(value)) invalid(`${key} is not a number`)
    if (value < min || value > max) invalid(`${key} is not within ${min} to ${max}`)
    return value
  }
  if (typeof value !== 'string') invalid(`${key} is not a text`)
  if (kind === 'text') return checkText(value)
  if (kind === 'name') return checkName(value, 'The name')
  const longest = kind === 'secret' ? SECRET_CHARACTERS_MAX : LINK_CHARACTERS_MAX
  if (value.length > longest) invalid(`${key} is longer than ${longest}`)
  return value
}

/** Checks `params` against a method. Throws `malformed` for a missing, unknown or ill-typed one. */
export function readParams(method: Method, params: RpcParams): ReadParams {
  for (const key of Object.keys(params)) {
    if (!Object.hasOwn(method.params, key)) invalid(`there is no parameter ${key}`)
  }
  const checked = new Map<string, string | number | boolean>()
  for (const [key, spec] of Object.entries(method.params)) {
    const value = Object.hasOwn(params, key) ? params[key] : undefined
    if (value !== undefined) checked.set(key, checkParam(key, value, spec))
    else if (spec.optional !== true) invalid(`${key} is missing`)
  }
  return {
    text: (key) => String(checked.get(key)),
    optionalText: (key) => checked.get(key) as string | undefined,
    optionalNumber: (key) => checked.get(key) as number | undefined,
    flag: (key) => checked.get(key) === true
  }
}
