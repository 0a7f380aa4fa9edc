// Why a link ended, in words for the person in front of the screen.
import { UserError } from '../api.ts'
import type { LinkFailure } from './talk.ts'

/** What happened, and whether another code helps. */
const WORDS: Readonly<Record<LinkFailure, readonly [message: string, hint: string]>> = {
  refused: [
    'You said that the emoji differ. Nothing was linked.',
    'If they do differ, somebody is in between: try again on a network that you trust.'
  ],
  'refused-there': [
    'The other device said that the emoji differ. Nothing was linked.',
    'If they do differ, somebody is in between: try again on a network that you trust.'
  ],
  cancelled: ['The link was cancelled. Nothing was linked.', 'Begin again: kith device add'],
  'cancelled-there': [
    'The other device cancelled the link. Nothing was linked.',
    'Begin again: kith device add'
  ],
  expired: [
    'The time for this link is over. Nothing was linked.',
    'Make a new code on the old device: kith device add'
  ],
  unknown: [
    'No device waits behind this code: it has expired, was used, or is cancelled.',
    'Make a new code on the old device: kith device add'
  ],
  used: [
    'Another device has used this code. Nothing was linked here.',
    'If it is not yours, somebody has seen the code: say no on the old device, and make a new one: kith device add'
  ],
  damaged: [
    'What came from the other device was altered on its way. Nothing was linked.',
    'Make a new code: kith device add. If it happens again, use another network.'
  ],
  version: [
    'The other device runs a version of kith that links differently. Nothing was linked.',
    'Update kith on both devices.'
  ],
  failed: ['The device could not be linked.', 'Make a new code and try again: kith device add'],
  'failed-there': [
    'The other device could not do its part. Nothing was linked.',
    'See what it says, then make a new code: kith device add'
  ],
  unreachable: [
    'The relay cannot be reached any more. Nothing was linked.',
    'Check the connection on both devices, then make a new code: kith device add'
  ]
}

/** UserError `link-<failure>`, or `unreachable-relay`. */
export function linkError(failure: LinkFailure, cause?: unknown): UserError {
  // What stood in the way on this side says more than that something did.
  if (failure === 'failed' && cause instanceof UserError) return cause
  const [message, hint] = WORDS[failure]
  const code = failure === 'unreachable' ? 'unreachable-relay' : `link-${failure}`
  return new UserError(code, message, { hint, cause })
}
