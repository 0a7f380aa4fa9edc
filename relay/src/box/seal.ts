// From a planned group commit to its effects: one transaction, the signature that is made while it is on its way to the
// disk, and what may happen after both.
import type { CommitEffect, Write } from '@kith/node/kernel'
import type { box as protocol } from '@kith/protocols'
import { sequenceWrite } from '../storage/meta.ts'
import type { Plan, TouchedBox } from './plan.ts'
import { boxWrite, entryWrite, envelopeWrite } from './records.ts'
import type { BoxEffect } from './state.ts'

const NO_SIGNATURE = new Uint8Array(0)

/**
 * The transaction of a plan. It holds heads without their signature: Ed25519 makes the same one of the same commit
 * whenever it is asked (RFC 8032 §5.1.6), so signing need not come before the sync.
 */
export function commitPlan(plan: Plan): CommitEffect {
  const writes: Write[] = [...plan.lazy.values()]
  for (const [leafIndex, touched] of [...plan.touched.values()].entries()) {
    writes.push(
      boxWrite(touched.box, headOf(plan, touched, { leafIndex, signature: NO_SIGNATURE }))
    )
    for (const { number, append } of touched.entries) {
      writes.push(entryWrite(touched.box.box, number, append, plan.atMs))
    }
  }
  for (const { append, placements } of plan.envelopes.values()) {
    writes.push(envelopeWrite(append, placements))
  }
  if (plan.message !== undefined) writes.push(sequenceWrite(plan.sequence))
  return { type: 'commit', transaction: plan.transaction, writes }
}

/** What waits for the transaction. `signature`: 64 bytes; undefined for a plan that holds lazy writes only. */
export function releasePlan(plan: Plan, signature: Uint8Array | undefined): readonly BoxEffect[] {
  const after = plan.transaction
  // First of all, so that the next transaction is on its way to the disk while answers are sent.
  const effects: BoxEffect[] = [{ type: 'committed', lazy: plan.lazy, after }]
  if (signature !== undefined) {
    const publications = [...plan.touched.values()].map((touched, leafIndex) => ({
      box: touched.box.box,
      receivedAtMs: plan.atMs,
      entries: touched.entries,
      head: headOf(plan, touched, { leafIndex, signature })
    }))
    effects.push({ type: 'publish', publications, after })
  }
  for (const answer of plan.answersAfter) effects.push({ type: 'answer', ...answer, after })
  return effects
}

function headOf(
  { commit = NO_SIGNATURE, tree }: Plan,
  { box }: TouchedBox,
  { leafIndex, signature }: { leafIndex: number; signature: Uint8Array }
): protocol.SignedHead {
  const head = { box: box.account, number: box.number, chain: box.chain }
  return { head, commit: { commit, signature }, leafIndex, path: tree?.path(leafIndex) ?? [] }
}
