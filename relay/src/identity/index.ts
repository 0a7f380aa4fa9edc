// The identity service: account logs of the accounts hosted here. Serves identity/append and identity/fetch.
import { identity } from '@kith/protocols'
import { Serial } from '../limits/serial.ts'
import type { Serve } from '../serve.ts'
import { appendOperation } from './append.ts'
import type { IdentityComponents } from './components.ts'
import { fetchLog } from './fetch.ts'

export type { DeviceRemoval } from './components.ts'
export { loadDirectory } from './load.ts'
export { loadAccount } from './records.ts'

/** Registrations that wait for each other; each takes about a millisecond. */
const APPENDS_WAITING_MAX = 256

/** Turns in which accounts are made and changed. */
export function createAppendTurns(): Serial {
  return new Serial(APPENDS_WAITING_MAX)
}

/** Offers identity/append and identity/fetch through `serve`. */
export function serveIdentity(serve: Serve, components: IdentityComponents): void {
  serve.request(identity.identityAppend, (request, caller) =>
    components.appends.run(() => appendOperation(request, caller, components))
  )
  serve.request(identity.identityFetch, (request) => fetchLog(request, components))
}
