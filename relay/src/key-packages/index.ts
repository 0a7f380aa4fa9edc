// The key-package service: what lets a sleeping device be added to a group. Serves key-packages/publish and
// key-packages/take, one at a time, so that no package is handed out twice.
import { RateLimiter } from '@kith/node/kernel'
import { keyPackages } from '@kith/protocols'
import { Serial } from '../limits/serial.ts'
import type { Serve } from '../serve.ts'
import type { KeyPackageComponents } from './components.ts'
import { publish } from './publish.ts'
import { take } from './take.ts'

export { packagesDelete } from './records.ts'

/** Requests that wait for each other; each takes about a millisecond. */
const WAITING_MAX = 256

/** What publishing, taking and deleting packages wait in. */
export const createPackageTurns = (): Serial => new Serial(WAITING_MAX)

/** Offers key-packages/publish and key-packages/take through `serve`. */
export function serveKeyPackages(serve: Serve, init: Omit<KeyPackageComponents, 'takers'>): void {
  const components = { ...init, takers: new RateLimiter() }
  const { packageTurns } = components
  serve.request(keyPackages.keyPackagesPublish, (request, caller) =>
    packageTurns.run(() => publish(request, caller, components))
  )
  serve.request(keyPackages.keyPackagesTake, (request, caller) =>
    packageTurns.run(() => take(request, caller, components))
  )
}
