// Checking evidence that somebody handed over: without an account, and without asking anybody.
import type { RelayId } from '@kith/protocols'
import { fromString } from 'uint8arrays/from-string'
import type { EvidenceView } from '../api.ts'
import { convicts } from '../delivery/contradiction.ts'
import { nodePrimitives } from '../kernel/primitives.node.ts'

/** Whether the relay signed both statements and they cannot both be true. Whatever is malformed proves nothing. */
export function checkEvidence({
  relay,
  kind,
  statements
}: Pick<EvidenceView, 'relay' | 'kind' | 'statements'>): boolean {
  const bytes = statements.map(decodeBase64)
  const [one, other] = bytes
  if (one === undefined || other === undefined) return false
  return convicts({ relay: relay as RelayId, kind, statements: [one, other] }, nodePrimitives)
}

function decodeBase64(text: string): Uint8Array | undefined {
  try {
    return fromString(text, 'base64pad')
  } catch {
    // Not base64: a damaged file, or one of somebody's making.
    return undefined
  }
}
