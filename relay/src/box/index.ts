// The box service: everything addressed to the accounts hosted here. Serves box/append, box/subscribe and
// box/configure.
import { box as protocol } from '@kith/protocols'
import type { Serve } from '../serve.ts'
import { append } from './append.ts'
import type { BoxComponents } from './components.ts'
import { configure } from './configure.ts'
import { createSubscriptions } from './subscribe.ts'

export { type Boxes, openBoxes } from './boxes.ts'
export { cursorKey } from './records.ts'

/** Offers box/append, box/configure and box/subscribe through `serve`. */
export function serveBox(serve: Serve, components: BoxComponents): void {
  serve.request(protocol.boxAppend, (request, caller) => append(request, caller, components))
  serve.request(protocol.boxConfigure, (request, caller) => configure(request, caller, components))
  serve.subscription(protocol.boxSubscribe, createSubscriptions(components))
}
