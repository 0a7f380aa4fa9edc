// Which slots one box holds, at which version, and which of them goes when there are too many. Pure.

/** Replaceable values in one box: one per conversation and device of a busy account. */
export const SLOTS_MAX = 4_096
/** Of those, how many may come from senders without a token; they only push out each other. */
export const STRANGER_SLOTS_MAX = 128

export interface SlotEntry {
  /** As map key. */
  readonly tag: string
  readonly version: number
  /** Larger for a later change of this box. */
  readonly order: number
  readonly isStranger: boolean
}

export interface SlotTable {
  /** By tag, in order of their latest change. */
  readonly entries: Map<string, SlotEntry>
  strangers: number
  lastOrder: number
}

/** A table of the slots that are stored, in any order. */
export function createSlotTable(entries: readonly SlotEntry[]): SlotTable {
  const ordered = [...entries].sort((a, b) => a.order - b.order)
  return {
    entries: new Map(ordered.map((entry) => [entry.tag, entry])),
    strangers: ordered.filter((entry) => entry.isStranger).length,
    lastOrder: ordered[ordered.length - 1]?.order ?? 0
  }
}

/**
 * Puts a version in; undefined when one as high is there. Otherwise the new entry, and the tag of the one that
 * has to go, if any: the oldest of a stranger's before the oldest of all.
 */
export function putSlot(
  table: SlotTable,
  slot: { readonly tag: string; readonly version: number; readonly trusted: boolean }
): { readonly entry: SlotEntry; readonly evicted: string | undefined } | undefined {
  const known = table.entries.get(slot.tag)
  if (known !== undefined && known.version >= slot.version) return undefined
  const isStranger = !slot.trusted && known?.isStranger !== false
  table.lastOrder += 1
  const entry = { tag: slot.tag, version: slot.version, order: table.lastOrder, isStranger }
  remove(table, slot.tag)
  table.entries.set(slot.tag, entry)
  if (isStranger) table.strangers += 1
  const evicted = oldestTooMany(table)
  if (evicted !== undefined) remove(table, evicted)
  return { entry, evicted }
}

function oldestTooMany(table: SlotTable): string | undefined {
  const isFull = table.entries.size > SLOTS_MAX
  if (table.strangers > STRANGER_SLOTS_MAX || (isFull && table.strangers > 0)) {
    for (const entry of table.entries.values()) if (entry.isStranger) return entry.tag
  }
  return isFull ? table.entries.keys().next().value : undefined
}

function remove(table: SlotTable, tag: string): void {
  const entry = table.entries.get(tag)
  if (entry === undefined) return
  table.entries.delete(tag)
  if (entry.isStranger) table.strangers -= 1
}
