// What a relay may answer that cannot be: about a contact, or about a change of a group. Told to the user apart from a relay that is busy.

/**
 * `false-log`: an account log that does not verify. `false-keys`: key packages of a device that is not in it.
 * `false-change`: a change of a group that it did not sign a receipt for.
 */
export type FalseAnswerReason = 'false-log' | 'false-keys' | 'false-change'

/** An answer was refused before anything was made of it: no key was wrapped for anybody. */
export class FalseAnswer extends Error {
  override readonly name = 'FalseAnswer'
  readonly reason: FalseAnswerReason

  constructor(reason: FalseAnswerReason, cause: unknown) {
    super(`a relay answered with ${reason}: ${String(cause)}`, { cause })
    this.reason = reason
  }
}
