// What an operator asks a running relay: its state and numbers, invites, accounts, new settings, a backup. Accounts are
// named by their id alone; nothing here can read what they write.
import type { Store } from '@kith/node/kernel'
import { type AccountId, accountIdOf, idBytes, parseAccountId } from '@kith/protocols'
import type { Boxes } from '../box/index.ts'
import type { Control, Params } from '../control.node.ts'
import { OperatorError } from '../errors.ts'
import type { Directory, Hosted } from '../identity/directory.ts'
import type { InviteBook } from '../invites/index.ts'
import type { Suspensions } from './suspensions.ts'

/** Accounts in one answer; the next page begins behind the last. */
const PAGE_MAX = 1_000
const INVITE_USES_MAX = 1_000_000
const REASON_CHARACTERS_MAX = 200

export interface AdminComponents {
  readonly store: Pick<Store, 'scan'>
  readonly boxes: Boxes
  readonly directory: Directory
  readonly invites: InviteBook
  readonly suspensions: Suspensions
}

export interface UserView {
  readonly account: AccountId
  readonly devices: number
  readonly entries: number
  readonly bytes: number
  /** Why the operator suspended it; absent when he did not. */
  readonly suspended?: string
}

/** The methods of the control socket that concern what the relay keeps. */
export function createAdmin(components: AdminComponents): ReadonlyMap<string, Method> {
  const { directory, boxes, invites, suspensions } = components
  const viewOf = (hosted: Hosted): UserView => {
    const { number, bytes } = boxes.sizeOf(hosted.box)
    const suspended = suspensions.reasonOf(hosted.account)
    return {
      account: accountIdOf(hosted.account),
      devices: hosted.devices.size,
      entries: number,
      bytes,
      ...(suspended === undefined ? {} : { suspended })
    }
  }
  const find = (params: Params): Hosted => {
    const hosted = directory.ofAccount(idBytes(accountIn(params)))
    if (hosted !== undefined) return hosted
    throw new OperatorError('not-found', 'No such account is hosted here.', {
      hint: 'kith-relay user list shows those that are.'
    })
  }
  return new Map<string, Method>([
    ['invite.create', (params) => invites.create(numberIn(params, 'uses', 1, INVITE_USES_MAX))],
    ['invite.list', () => invites.list()],
    ['invite.revoke', (params) => invites.revoke(textIn(params, 'invite', 64))],
    ['user.list', async (params) => page([...directory.all()].map(viewOf), params)],
    ['user.show', async (params) => viewOf(find(params))],
    [
      'user.block',
      async (params) => {
        const hosted = find(params)
        await suspensions.suspend(hosted, textIn(params, 'reason', REASON_CHARACTERS_MAX))
        return viewOf(hosted)
      }
    ],
    [
      'user.unblock',
      async (params) => {
        const hosted = find(params)
        await suspensions.resume(hosted)
        return viewOf(hosted)
      }
    ]
  ])
}

type Method = (params: Params) => Promise<unknown>

/** Has each method answered by the map that knows it. */
export function controlOf(...methods: readonly ReadonlyMap<string, Method>[]): Control {
  return async (name, params) => {
    const method = methods.map((map) => map.get(name)).find((found) => found !== undefined)
    if (method !== undefined) return await method(params)
    throw new OperatorError('unknown-method', `This relay does not know "${name}".`, {
      hint: 'It may be of an older version than this command: restart it.'
    })
  }
}

/** Sorted by id; at most PAGE_MAX behind the id given. */
function page(users: UserView[], params: Params) {
  const after = params.after === undefined ? '' : textIn(params, 'after', 128)
  const rest = users
    .filter(({ account }) => account > after)
    .sort((a, b) => (a.account < b.account ? -1 : 1))
  return { users: rest.slice(0, PAGE_MAX), total: users.length, hasMore: rest.length > PAGE_MAX }
}

function accountIn(params: Params): AccountId {
  const text = textIn(params, 'account', 128)
  try {
    return parseAccountId(text)
  } catch (cause) {
    throw new OperatorError('usage', `"${text}" is no account id.`, {
      hint: 'An account id has 52 characters; "kith account show" prints it.',
      cause
    })
  }
}

function textIn(params: Params, name: string, most: number): string {
  const value = params[name]
  if (typeof value === 'string' && value.length > 0 && value.length <= most) return value
  throw new OperatorError('usage', `"${name}" must be a text of 1 to ${most} characters.`, {
    hint: 'See the help of the command.'
  })
}

function numberIn(params: Params, name: string, least: number, most: number): number {
  const value = params[name]
  if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most)
    return value as number
  throw new OperatorError('usage', `"${name}" must be a whole number from ${least} to ${most}.`, {
    hint: 'See the help of the command.'
  })
}
