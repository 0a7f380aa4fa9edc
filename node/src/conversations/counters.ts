// Which counters of one sender device are held, as inclusive ranges: small when all is well, honest when not.

export interface CounterRange {
  readonly from: number
  readonly to: number
}

/** Ascending, disjoint, not touching. */
export type Ranges = readonly CounterRange[]

/** Whether the counter lies in one of the ranges. */
export function hasCounter(ranges: Ranges, counter: number): boolean {
  return ranges.some(({ from, to }) => from <= counter && counter <= to)
}

/** The ranges with one more counter; the same ranges when it is held already. */
export function addCounter(ranges: Ranges, counter: number): Ranges {
  const last = ranges.at(-1)
  if (last !== undefined && counter === last.to + 1) {
    return [...ranges.slice(0, -1), { from: last.from, to: counter }]
  }
  if (hasCounter(ranges, counter)) return ranges
  const below = ranges.filter(({ to }) => to < counter - 1)
  const above = ranges.filter(({ from }) => from > counter + 1)
  const left = ranges.find(({ to }) => to === counter - 1)
  const right = ranges.find(({ from }) => from === counter + 1)
  return [...below, { from: left?.from ?? counter, to: right?.to ?? counter }, ...above]
}

/** Everything that either holds. */
export function mergeRanges(a: Ranges, b: Ranges): Ranges {
  const merged: CounterRange[] = []
  for (const range of [...a, ...b].sort((left, right) => left.from - right.from)) {
    const last = merged.at(-1)
    if (last !== undefined && range.from <= last.to + 1) {
      merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, range.to) }
    } else merged.push({ from: range.from, to: range.to })
  }
  return merged
}

/** What is missing between 1 and the largest counter held. */
export function missingRanges(ranges: Ranges): Ranges {
  const missing: CounterRange[] = []
  let next = 1
  for (const { from, to } of ranges) {
    if (from > next) missing.push({ from: next, to: from - 1 })
    next = to + 1
  }
  return missing
}

/** How many counters are held. */
export function countOf(ranges: Ranges): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0)
}
