// Every protocol there is. Documentation, metrics, fuzzers and tests iterate this list.
import { boxAppend, boxConfigure, boxPutSlot, boxSubscribe } from './box/index.ts'
import type { Protocol, SubscriptionProtocol } from './define.ts'
import { directDeliver } from './direct/index.ts'
import { identityAppend, identityFetch } from './identity/index.ts'
import { keyPackagesPublish, keyPackagesTake } from './key-packages/index.ts'

// biome-ignore lint/suspicious/noExplicitAny: a registry holds protocols of every message type
type AnyProtocol = Protocol<any, any> | SubscriptionProtocol<any, any, any>

export const PROTOCOLS: readonly AnyProtocol[] = [
  identityAppend,
  identityFetch,
  keyPackagesPublish,
  keyPackagesTake,
  boxAppend,
  boxSubscribe,
  boxPutSlot,
  boxConfigure,
  directDeliver
]
