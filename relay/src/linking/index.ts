// Linking: where a new device meets an old one, in memory only. Serves linking/put and linking/watch to anybody,
// because a new device belongs to no account yet; names are secrets of the two, contents are sealed.
import { linking as protocol } from '@kith/protocols'
import type { Serve } from '../serve.ts'
import { Linking, type LinkingComponents } from './linking.ts'

/** Offers linking/put and linking/watch through `serve`. */
export function serveLinking(serve: Serve, components: LinkingComponents): void {
  const linking = new Linking(components)
  serve.request(protocol.linkingPut, (request, caller) => linking.put(request, caller))
  serve.subscription(protocol.linkingWatch, (request, publisher, caller) =>
    linking.watch(request, publisher, caller)
  )
}
