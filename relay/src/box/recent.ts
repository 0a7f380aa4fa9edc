// Where the latest envelopes were placed: what a lookup on disk that began earlier cannot know. Two generations,
// because taking the oldest key out of a large Map one by one walks over all that were taken out before.
import type { Placement } from './box.ts'
import { RECENT_PLACEMENTS } from './constants.ts'

export interface RecentPlacements {
  /** By envelope id as map key; the last 0 to RECENT_PLACEMENTS. */
  young: Map<string, readonly Placement[]>
  /** The RECENT_PLACEMENTS before those. */
  old: Map<string, readonly Placement[]>
}

/** Where the envelope was placed, if that was among the latest RECENT_PLACEMENTS. */
export function recall(recent: RecentPlacements, id: string): readonly Placement[] | undefined {
  return recent.young.get(id) ?? recent.old.get(id)
}

/** Takes the places (all of them) where an envelope, by id as map key, is now. */
export function remember(
  recent: RecentPlacements,
  id: string,
  placements: readonly Placement[]
): void {
  recent.young.set(id, placements)
  if (recent.young.size < RECENT_PLACEMENTS) return
  recent.old = recent.young
  recent.young = new Map()
}
