// Blocking and unblocking, as decisions over what is kept of an account.
import { UserError } from '../api.ts'
import type { Contact, ContactRequest } from './contact.ts'

/** What a relay takes in one setting (protocols/src/box). */
const BLOCKED_MAX = 1_000

/** Throws UserError `too-many-blocked`; `count` are blocked already. */
export function blocked(contact: Contact, count: number): Contact {
  if (contact.blocked !== true && count >= BLOCKED_MAX) {
    throw new UserError(
      'too-many-blocked',
      `${BLOCKED_MAX} accounts are blocked, which is as many as a relay keeps.`,
      { hint: 'kith contact unblock <who>' }
    )
  }
  return { ...contact, blocked: true }
}

/** A stranger gets the request as dropped. Throws UserError `not-blocked`. */
export function unblocked({ blocked: was, ...contact }: Contact, request: ContactRequest): Contact {
  if (was !== true) {
    throw new UserError('not-blocked', `"${contact.name}" is not blocked.`, {
      hint: 'kith contact list --blocked'
    })
  }
  return contact.confirmed ? contact : { ...contact, request: { ...request, state: 'dropped' } }
}
