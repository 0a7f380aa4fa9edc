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
import type { Gate } from './gate.ts'

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

export interface ServeInit {
  readonly events: RelayEvents
  readonly onStoreFailure: (error: StoreError) => void
  readonly gate: Gate
}

/** Offers protocols through `rpc`. `onStoreFailure` hears of a store that cannot be trusted any more. */
export function createServe(
  rpc: Pick<Rpc, 'serve' | 'serveSubscription'>,
  { events, onStoreFailure, gate }: ServeInit
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
      rpc.serve(protocol, async (request, caller) => {
        const leave = gate.enter(protocol.id, caller)
        try {
          return await handler(request, caller)
        } catch (error) {
          throw refusalOf(protocol.id, error)
        } finally {
          leave()
        }
      })
    },
    subscription(protocol, handler) {
      rpc.serveSubscription(protocol, async (request, publisher, caller) => {
        gate.check(caller)
        try {
          await handler(request, publisher, caller)
        } catch (error) {
          if (caller.signal.aborted) return
          throw refusalOf(protocol.id, error)
        }
      })
    }
  }
}
