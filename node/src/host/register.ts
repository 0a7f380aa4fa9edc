// The first meeting of an account and its home relay: the log is registered, contacts can be told apart, and key
// packages lie ready, so that others can write from this moment on.
import { box, ProtocolError } from '@kith/protocols'
import { UserError } from '../api.ts'
import type { LocalDevice } from '../groups/group-crypto.ts'
import { KeyPackageStore } from '../groups/key-package-store.ts'
import { ensureRegistered, type Profile } from '../identity/profile.ts'
import type { MessengerComponents } from '../messenger.ts'

export interface RegisterOptions {
  readonly device: LocalDevice
  readonly profile: Profile
  readonly signal?: AbortSignal | undefined
}

/** Throws UserError `wrong-invite`, `unreachable-relay` or `relay-refused`. */
export async function register(
  components: MessengerComponents,
  { device, profile, signal = new AbortController().signal }: RegisterOptions
): Promise<void> {
  const [home] = profile.homes.map(({ relay, addresses }) => ({ id: relay, addresses }))
  if (home === undefined) throw new Error('a profile without a home')
  const { rpc } = components.network
  try {
    await ensureRegistered({ rpc, home, profile, signal })
    const { deliverySecret } = profile
    await rpc.request(home, box.boxConfigure, { deliverySecret, blocked: [] }, { signal })
    await new KeyPackageStore({ ...components, rpc, device }).replenish(home, signal)
  } catch (error) {
    throw error instanceof ProtocolError ? explain(error) : error
  }
}

function explain(cause: ProtocolError): UserError {
  switch (cause.code) {
    case 'invite':
      return new UserError('wrong-invite', 'The relay does not accept this invite.', {
        hint: 'Ask its operator for a join link that is still good (kith-relay status shows it).',
        cause
      })
    case 'unreachable':
    case 'timeout':
      return new UserError('unreachable-relay', 'The relay cannot be reached.', {
        hint: 'Check that it runs and that the link is its current one: kith-relay status',
        cause
      })
    default:
      return new UserError('relay-refused', `The relay refused the account: ${cause.detail}.`, {
        hint: 'Ask its operator, or use another relay.',
        cause
      })
  }
}
