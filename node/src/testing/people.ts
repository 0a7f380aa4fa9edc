// Made-up accounts and devices for tests: alice's phone is the same bytes in every run.
import { accountIdOf, deviceIdOf } from '@kith/protocols'
import type { LocalDevice, Member } from '../groups/group-crypto.ts'
import type { Primitives } from '../kernel/primitives.ts'

const encoder = new TextEncoder()

/** The device `name` (say `phone`) of the account `person` (say `alice`), with keys derived from both names. */
export function createDevice(person: string, name: string, primitives: Primitives): LocalDevice {
  const keys = primitives.keyPair(primitives.sha256(encoder.encode(`${person}'s ${name}`)))
  return {
    account: accountIdOf(primitives.sha256(encoder.encode(person))),
    device: deviceIdOf(keys.publicKey),
    privateKey: keys.privateKey
  }
}

/** Accepts exactly these devices, as the logs of their accounts would. */
export function certifyOnly(...members: readonly Member[]): (member: Member) => boolean {
  const names = new Set(members.map(({ account, device }) => `${account} ${device}`))
  return ({ account, device }) => names.has(`${account} ${device}`)
}
