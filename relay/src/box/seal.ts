// From a planned and signed group commit to its effects: one transaction, and what may happen after it.
import type { CommitEffect, Write } from '@kith/node/kernel'
import type { box as protocol } from '@kith/protocols'
import { sequenceWrite } from '../storage/meta.ts'
import type { Publication } from './box.ts'
import type { Plan } from './plan.ts'
import { boxWrite, entryWrite, envelopeWrite } from './records.ts'
import type { BoxEffect } from './state.ts'

/**
 * The transaction and everything that waits for it. `signature`: 64 bytes; undefined for a plan without a
 * touched box, which holds lazy writes only.
 */
export function sealPlan(
  plan: Plan,
  signature: Uint8Array | undefined
): readonly (BoxEffect | CommitEffect)[] {
  const publications = signature === undefined ? [] : publicationsOf(plan, signature)
  const writes: Write[] = [...plan.lazy.values()]
  for (const publication of publications) {
    const { box } = plan.touched.get(publication.box) ?? {}
    if (box !== undefined) writes.push(boxWrite(box, publication.head))
    for (const { number, append } of publication.entries) {
      writes.push(entryWrite(publication.box, number, append, plan.atMs))
    }
  }
  for (const { append, placements } of plan.envelopes.values()) {
    writes.push(envelopeWrite(append, placements))
  }
  if (signature !== undefined) writes.push(sequenceWrite(plan.sequence))

  const after = plan.transaction
  const effects: (BoxEffect | CommitEffect)[] = [
    { type: 'commit', transaction: plan.transaction, writes },
    // First of all, so that the next transaction is on its way to the disk while answers are sent.
    { type: 'committed', lazy: plan.lazy, after }
  ]
  if (publications.length > 0) effects.push({ type: 'publish', publications, after })
  for (const answer of plan.answersAfter) effects.push({ type: 'answer', ...answer, after })
  return effects
}

function publicationsOf(plan: Plan, signature: Uint8Array): readonly Publication[] {
  const { commit, tree } = plan
  if (commit === undefined || tree === undefined) return []
  const commitHead: protocol.CommitHead = { commit, signature }
  return Array.from(plan.touched.values(), ({ box, entries }, leafIndex) => ({
    box: box.box,
    receivedAtMs: plan.atMs,
    entries,
    head: {
      head: { box: box.account, number: box.number, chain: box.chain },
      commit: commitHead,
      leafIndex,
      path: tree.path(leafIndex)
    }
  }))
}
