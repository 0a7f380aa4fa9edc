// The part of a list that is in sight, with the marked line in it.

export function windowAround<T>(items: readonly T[], marked: number, height: number): readonly T[] {
  const rows = Math.max(1, height)
  const first = Math.max(0, Math.min(marked - Math.floor(rows / 2), items.length - rows))
  return items.slice(first, first + rows)
}
