// The contact link as a person pastes it: what is wrong with it is said in words.
import { type ContactLink, ProtocolError, parseContactLink } from '@kith/protocols'
import { UserError } from '../api.ts'

/** Throws UserError `malformed-link`. */
export function readContactLink(link: string): ContactLink {
  try {
    return parseContactLink(link)
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    throw new UserError('malformed-link', `This is not a contact link: ${cause.detail}.`, {
      hint: 'A contact link begins with kith:contact/ and is printed by: kith account show',
      cause
    })
  }
}
