// Opening what arrived: the cryptography of the inbox, with no decision in it beyond "does this open".
import { type envelope, type MessageId, messageIdOf, ProtocolError } from '@kith/protocols'
import type { Incarnation } from '../conversations/incarnations.ts'
import { openEnvelope, readEnvelope } from '../conversations/sealing.ts'
import type { Member } from '../groups/group-crypto.ts'
import type { Primitives } from '../kernel/primitives.ts'
import type { Opened, OpenedChange, OpenRequest } from './inputs.ts'
import type { Marks } from './marks.ts'
import type { TagOwner } from './state.ts'

/** Joins groups that others founded, and follows their changes. */
export interface GroupOpener {
  openWelcome(sealed: envelope.Envelope): Promise<Opened>
  /** `members`: of the epoch that the commit ends. */
  openCommit(
    commit: envelope.GroupCommit,
    incarnation: Incarnation,
    members: readonly Member[]
  ): Promise<OpenedChange>
}

export interface OpeningComponents {
  readonly primitives: Primitives
  readonly marks: Marks
  readonly groups: GroupOpener
}

/**
 * Results in the order of the requests. Rejects only when something needed from the network is not to be had
 * now (ProtocolError `unreachable`, `timeout`, `unavailable`, `rate-limited`): then nothing was consumed.
 */
export async function openAll(
  components: OpeningComponents,
  requests: readonly OpenRequest[]
): Promise<readonly Opened[]> {
  const depths = await components.marks.depths(requests.map(({ entry }) => entry.id))
  const results: Opened[] = []
  for (const [index, request] of requests.entries()) {
    results.push(await open(components, request, depths[index] !== undefined))
  }
  return await withHeadDepths(components.marks, results)
}

async function open(
  { primitives, groups }: OpeningComponents,
  { entry, owner, incarnation }: OpenRequest,
  isKnown: boolean
): Promise<Opened> {
  if (isKnown) return { type: 'duplicate' }
  if (entry.envelope === undefined) return { type: 'skipped' }
  const read = readEnvelope(entry.envelope, primitives)
  if (read === undefined || read.id !== entry.id) return { type: 'unreadable' }
  if (owner === undefined) return await groups.openWelcome(read.envelope)
  const opened = openMessage(primitives, read.envelope, owner)
  const commit = opened.type === 'message' ? opened.content.body?.commit : undefined
  if (opened.type !== 'message' || commit === undefined || incarnation === undefined) return opened
  return { ...opened, change: await groups.openCommit(commit, incarnation, owner.epoch.members) }
}

function openMessage(primitives: Primitives, sealed: envelope.Envelope, owner: TagOwner): Opened {
  const opened = openEnvelope({ envelope: sealed, archiveKey: owner.epoch.archiveKey }, primitives)
  if (opened === undefined) return { type: 'unreadable' }
  const { account, device, counter, content, contentBytes } = opened
  const heads = content.heads.map((head) => ({ id: messageIdOf(head), depth: undefined }))
  const raw = contentBytes
  return { type: 'message', account, device, counter, content, raw, heads, change: undefined }
}

/** Fills in the depths of named heads that this device holds. */
async function withHeadDepths(
  marks: Marks,
  results: readonly Opened[]
): Promise<readonly Opened[]> {
  const named = new Set<MessageId>()
  for (const result of results) {
    if (result.type === 'message') for (const { id } of result.heads) named.add(id)
  }
  if (named.size === 0) return results
  const ids = [...named]
  const depths = new Map((await marks.depths(ids)).map((depth, index) => [ids[index], depth]))
  return results.map((result) =>
    result.type === 'message'
      ? { ...result, heads: result.heads.map(({ id }) => ({ id, depth: depths.get(id) })) }
      : result
  )
}

/** Whether a failure is the network's, so that the same may work later. */
export function isTemporary(error: unknown): boolean {
  return (
    error instanceof ProtocolError &&
    ['unreachable', 'timeout', 'unavailable', 'rate-limited'].includes(error.code)
  )
}
