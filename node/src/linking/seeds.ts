// What is random in a link, from the kernel.
import { linking } from '@kith/protocols'
import type { Random } from '../kernel/random.ts'
import type { LinkSeeds } from './talk.ts'

const KEY_BYTES = 32

/** Fresh seeds; the new device brings the secret of the code it was given. */
export function drawSeeds(random: Random, secret?: Uint8Array): LinkSeeds {
  return {
    secret: secret ?? random.bytes(linking.LINK_SECRET_BYTES),
    agreement: random.bytes(KEY_BYTES),
    nonce: random.bytes(KEY_BYTES),
    sealing: random.bytes(KEY_BYTES)
  }
}
