// Named points of the way of a message to disk and back, at which a storm lets a process die. Nothing happens at
// them unless whoever starts the program injects what does (failpoint.node.ts): nobody outside can reach them.

/** Points of every store on disk: no batch yet; batch on disk, side file behind; both, nobody told. */
export const STORE_FAILPOINTS = ['store-batch', 'store-bound', 'store-told'] as const

/**
 * Points of a relay: nothing of a group commit written; all of it on disk, nobody answered; senders answered,
 * nothing pushed to a subscriber.
 */
export const RELAY_FAILPOINTS = ['relay-commit', 'relay-answer', 'relay-push'] as const

/**
 * Points of a node: a text composed and not sealed, on disk only if it had to wait; sealed, durable and not sent; envelopes opened and not stored;
 * stored and not acknowledged; acknowledged.
 */
export const NODE_FAILPOINTS = [
  'node-seal',
  'node-send',
  'node-store',
  'node-acknowledge',
  'node-acknowledged'
] as const

export const FAILPOINTS = [...STORE_FAILPOINTS, ...RELAY_FAILPOINTS, ...NODE_FAILPOINTS] as const

export type FailpointName = (typeof FAILPOINTS)[number]

/**
 * Called when a point is passed. Where it returns a promise the process is about to die: who can wait for it does,
 * so that what was done before leaves the process and what comes after does not happen.
 */
export type Failpoint = (name: FailpointName) => Promise<never> | undefined
