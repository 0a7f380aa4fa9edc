// How services offer their protocols: the kernel's runner, with every failure that is this relay's own told to
// the operator here and to the peer only as `unavailable` or `internal`.
import { type Rpc, StoreError } from '@kith/node/kernel'
import {
  type Caller,
  type Protocol,
  ProtocolError,
  type Publisher,
  type SubscriptionProtocol
} from '@kith/protocols'
import type { RelayEvents } from './events.ts'

export interface Serve {
  request<Request, Response>(
    protocol: Protocol<Request, Response>,
    handler: (request: Request, caller: Caller) => Promise<Response>
  ): void
  subscription<Request, Item, Acknowledgement>(
    protocol: SubscriptionProtocol<Request, Item, Acknowledgement>,
    handler: (
      request: Request,
      publisher: Publisher<Item, Acknowledgement>,
      caller: Caller
    ) => Promise<void>
  ): void
}

/** Offers protocols through `rpc`. `onStoreFailure` hears of a store that cannot be trusted any more. */
export function createServe(
  rpc: Pick<Rpc, 'serve' | 'serveSubscription'>,
  events: RelayEvents,
  onStoreFailure: (error: StoreError) => void
): Serve {
  const refusalOf = (protocol: string, error: unknown): ProtocolError => {
    if (error instanceof ProtocolError) return error
    if (error instanceof StoreError) {
      onStoreFailure(error)
      return new ProtocolError('unavailable', 'store-failed', { cause: error })
    }
    events.handlerFailed(protocol, error instanceof Error ? error.name : typeof error)
    return new ProtocolError('internal', 'handler-failed', { cause: error })
  }
  return {
    request(protocol, handler) {
      rpc.serve(protocol, (request, caller) =>
        handler(request, caller).catch((error: unknown) => {
          throw refusalOf(protocol.id, error)
        })
      )
    },
    subscription(protocol, handler) {
      rpc.serveSubscription(protocol, (request, publisher, caller) =>
        handler(request, publisher, caller).catch((error: unknown) => {
          if (caller.signal.aborted) return
          throw refusalOf(protocol.id, error)
        })
      )
    }
  }
}
