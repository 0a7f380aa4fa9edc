// Opening what arrived: the cryptography of the inbox, with no decision in it beyond "does this open".
import { type envelope, type MessageId, messageIdOf, ProtocolError } from '@kith/protocols'
import { hasCounter } from '../conversations/counters.ts'
import type { Incarnation } from '../conversations/incarnations.ts'
import { openEnvelope, readEnvelope } from '../conversations/sealing.ts'
import type { LocalDevice, Member } from '../groups/group-crypto.ts'
import type { Primitives } from '../kernel/primitives.ts'
import type { Opened, OpenRequest } from './inputs.ts'
import type { Marks } from './marks.ts'
import type { OpenedChange, TagOwner } from './state.ts'

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
  /** This one; its own counters are held elsewhere. */
  readonly device: Pick<LocalDevice, 'device'>
}

/**
 * Results in the order of the requests. Rejects only when something needed from the network is not to be had
 * now (ProtocolError `unreachable`, `timeout`, `unavailable`, `rate-limited`): then nothing was consumed.
 */
export async function openAll(
  components: OpeningComponents,
  requests: readonly OpenRequest[]
): Promise<readonly Opened[]> {
  const read = requests.map((request) => readMessage(components, request))
  const known = await knownAmong(components, requests, read)
  const results: Opened[] = []
  for (const [index, request] of requests.entries()) {
    const isKnown = known.has(request.entry.id)
    results.push(isKnown ? { type: 'duplicate' } : await open(components, request, read[index]))
  }
  return await withHeadDepths(components.marks, results)
}

/** Undefined for what was had lately, and for what takes more than the keys of its epoch. */
function readMessage(
  { primitives, marks }: OpeningComponents,
  { entry, owner }: OpenRequest
): Opened | undefined {
  if (marks.recent(entry.id) !== undefined) return undefined
  if (entry.envelope === undefined) return { type: 'skipped' }
  if (owner === undefined) return undefined
  const read = readEnvelope(entry.envelope, primitives)
  if (read === undefined || read.id !== entry.id) return { type: 'unreadable' }
  return openMessage(primitives, read.envelope, owner)
}

/**
 * Ids of those that this device has already. A message whose counter is not held is new, and the disk is not asked: a
 * message is marked in the transaction that counts it.
 */
async function knownAmong(
  { marks, device }: OpeningComponents,
  requests: readonly OpenRequest[],
  read: readonly (Opened | undefined)[]
): Promise<ReadonlySet<MessageId>> {
  const unsure = requests.filter(({ received }, index) => {
    const message = read[index]
    if (message?.type !== 'message' || message.device === device.device) return true
    return hasCounter(received?.get(message.device) ?? [], message.counter)
  })
  const ids = unsure.map(({ entry }) => entry.id)
  const depths = await marks.depths(ids)
  return new Set(ids.filter((_, index) => depths[index] !== undefined))
}

async function open(
  { primitives, groups }: OpeningComponents,
  { entry, owner, incarnation }: OpenRequest,
  read: Opened | undefined
): Promise<Opened> {
  if (read === undefined) {
    const welcome = entry.envelope && readEnvelope(entry.envelope, primitives)
    if (welcome === undefined || welcome.id !== entry.id) return { type: 'unreadable' }
    return await groups.openWelcome(welcome.envelope)
  }
  const commit = read.type === 'message' ? read.content.body?.commit : undefined
  if (read.type !== 'message' || commit === undefined) return read
  if (owner === undefined || incarnation === undefined) return read
  return { ...read, change: await groups.openCommit(commit, incarnation, owner.epoch.members) }
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
