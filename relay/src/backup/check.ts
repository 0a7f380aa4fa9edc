// Whether a relay's store holds together: every log without a hole and with the chain that its head vouches for, every
// body the one that its entry names, every account's log what its record says. Reads everything, changes nothing.
import type { Primitives } from '@kith/node/kernel'
import { HASH_BYTES, identity, box as protocol } from '@kith/protocols'
import { equals } from 'uint8arrays/equals'
import type { Box } from '../box/box.ts'
import { loadBoxes, loadEntries, loadEnvelopes, loadHead } from '../box/records.ts'
import { loadAccounts, loadOperations, type StoredAccount } from '../identity/records.ts'
import type { Meta } from '../storage/meta.ts'
import type { StoreReader } from '../storage/reader.ts'

/** Entries looked at in one go: their bodies are read together. */
const BATCH = 256
/** More of the same tells an operator nothing new. */
const PROBLEMS_MAX = 100

export interface Checked {
  readonly accounts: number
  readonly boxes: number
  readonly entries: number
  /** In words; none when all is well. At most PROBLEMS_MAX. */
  readonly problems: readonly string[]
}

/** `onProgress`: called with the number of entries looked at so far. */
export async function checkStore(
  store: StoreReader,
  meta: Meta,
  primitives: Primitives,
  onProgress: (entries: number) => void = () => undefined
): Promise<Checked> {
  const problems: string[] = []
  const report = (problem: string) => {
    if (problems.length < PROBLEMS_MAX) problems.push(problem)
  }
  let [accounts, entries] = [0, 0]
  const boxes = await loadBoxes(store)
  for (const box of boxes) {
    entries += await checkBox({ store, meta, primitives, report }, box)
    onProgress(entries)
  }
  const known = new Set(boxes.map(({ box }) => box))
  for await (const stored of loadAccounts(store)) {
    accounts += 1
    if (!known.has(stored.box)) report(`account ${stored.state.account} has no box`)
    await checkAccount({ store, primitives, report }, stored)
  }
  return { accounts, boxes: boxes.length, entries, problems }
}

interface Tools {
  readonly store: StoreReader
  readonly primitives: Primitives
  readonly report: (problem: string) => void
}

/** Resolves to the number of its entries. */
async function checkBox(tools: Tools & { readonly meta: Meta }, box: Box): Promise<number> {
  const { store, meta, report } = tools
  const { sha256 } = tools.primitives
  const about = `box ${box.box}`
  let chain = protocol.chainStart(meta.storeEpoch, box.account, sha256)
  let [number, bytes] = [0, 0]
  for (let from = 1; from <= box.number; from += BATCH) {
    const range = { from, to: Math.min(box.number, from + BATCH - 1), limit: BATCH }
    const found = await loadEntries(store, box.box, range)
    const bodies = await loadEnvelopes(
      store,
      found.map(({ envelopeId }) => envelopeId)
    )
    for (const [index, entry] of found.entries()) {
      if (entry.number !== number + 1) report(`${about}: entry ${number + 1} is missing`)
      number = entry.number
      chain = protocol.chainNext(chain, entry.number, entry.envelopeId, sha256)
      const body = bodies[index]
      if (body === undefined) report(`${about}: entry ${number} has no body`)
      else if (!equals(sha256(body), entry.envelopeId)) {
        report(`${about}: entry ${number} has another body`)
      }
      bytes += entry.bytes
    }
  }
  if (number !== box.number) report(`${about}: ${number} entries of ${box.number}`)
  if (bytes !== box.bytes) report(`${about}: ${bytes} bytes of ${box.bytes}`)
  if (!equals(chain, box.chain)) report(`${about}: its chain is not that of its entries`)
  const head = (await loadHead(store, box.box))?.head
  if (head === undefined || head.number !== box.number || !equals(head.chain, box.chain)) {
    report(`${about}: its head is of another log`)
  }
  return number
}

async function checkAccount(
  { store, primitives, report }: Tools,
  { box, state }: StoredAccount
): Promise<void> {
  const limit = state.length + 1
  const operations = await loadOperations(store, box, { from: 0, limit })
  const about = `account ${state.account}`
  try {
    const folded = identity.foldAccountLog(operations, primitives)
    const isSame = folded.length === state.length && equals(folded.head, state.head)
    if (!isSame || folded.head.byteLength !== HASH_BYTES) {
      report(`${about}: its record is not that of its log`)
    }
  } catch (error) {
    report(`${about}: its log does not hold (${error instanceof Error ? error.message : error})`)
  }
}
