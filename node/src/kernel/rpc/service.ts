// What is served under one protocol id, and how its handler is run.
import type { Handler, Protocol, SubscriptionHandler, SubscriptionProtocol } from '@kith/protocols'

// biome-ignore lint/suspicious/noExplicitAny: a table holds services of every message type
export type Any = any

/** A protocol and who answers it. */
export type Service =
  | { kind: 'request'; protocol: Protocol<Any, Any>; handler: Handler<Protocol<Any, Any>> }
  | {
      kind: 'subscription'
      protocol: SubscriptionProtocol<Any, Any, Any>
      handler: SubscriptionHandler<SubscriptionProtocol<Any, Any, Any>>
    }

/** A handler that throws before its first await rejects like any other. */
export function run<T>(handler: () => Promise<T>): Promise<T> {
  try {
    return handler()
  } catch (error) {
    return Promise.reject(error)
  }
}

/** Throws when the answer is larger than its protocol allows: a fault of the handler. */
export function encodeAnswer(protocol: Protocol<Any, Any>, response: unknown): Uint8Array {
  const body = protocol.response.encode(response)
  if (body.byteLength > protocol.limits.responseBytes) {
    throw new Error(`answer of ${body.byteLength} bytes to ${protocol.id}`)
  }
  return body
}
