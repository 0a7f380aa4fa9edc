// Delivery tokens: a sender shows the recipient's home relays that it is a contact, without saying who it is.
// The secret is known to the recipient's contacts and home relays.
import type { Hmac } from '../checks.ts'
import { LABELS } from '../labels.ts'

/**
 * 32 bytes, bound to one envelope for one account, so that a token seen once opens nothing else. `secret`,
 * `account` and `envelopeId`: 32 bytes each.
 */
export function deliveryToken(
  token: { secret: Uint8Array; account: Uint8Array; envelopeId: Uint8Array },
  hmac: Hmac
): Uint8Array {
  return hmac(token.secret, LABELS.deliveryToken, token.account, token.envelopeId)
}
