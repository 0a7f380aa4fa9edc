// What a benchmark prints: one JSON line per figure, then a table of all of them.

export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** What it is compared with, in the same unit and run; null when there is nothing or it is missing. */
  readonly reference: { readonly name: string; readonly value: number } | null
  /** value / reference */
  readonly ratio: number | null
  /** The bar in words; empty for a figure that only explains another one. */
  readonly bar: string
  /** null without a bar, or when the bar needs a reference that is missing. */
  readonly pass: boolean | null
  readonly rounds: number
  /** Median one-minute load average during the rounds. */
  readonly load: number
  readonly note?: string
}

/** What a value must hold: at most or at least a number, of the value itself or of its ratio. */
export interface Bar {
  readonly of: 'value' | 'ratio'
  readonly is: 'at most' | 'at least'
  readonly limit: number
}

export interface Measured {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly reference?: { readonly name: string; readonly value: number | undefined }
  readonly bar?: Bar
  readonly note?: string | undefined
}

/** Judges a measured value against its reference and bar. */
export function figureOf(measured: Measured, run: { count: number; load: number }): Figure {
  const { reference, bar, note } = measured
  const found =
    reference?.value === undefined ? null : { name: reference.name, value: reference.value }
  // A reference of 0 is one too small to measure, as in a quick round: nothing can be said.
  const ratio = found === null || found.value === 0 ? null : measured.value / found.value
  const judged = bar?.of === 'ratio' ? ratio : measured.value
  return {
    name: measured.name,
    value: rounded(measured.value),
    unit: measured.unit,
    reference: found === null ? null : { name: found.name, value: rounded(found.value) },
    ratio: ratio === null ? null : rounded(ratio),
    bar: bar === undefined ? '' : describeBar(bar, measured),
    pass: bar === undefined || judged === null ? null : holds(bar, judged),
    rounds: run.count,
    load: rounded(run.load),
    ...(note === undefined ? {} : { note })
  }
}

function holds(bar: Bar, judged: number): boolean {
  return bar.is === 'at most' ? judged <= bar.limit : judged >= bar.limit
}

function describeBar(bar: Bar, measured: Measured): string {
  const sign = bar.is === 'at most' ? '<=' : '>='
  return bar.of === 'value'
    ? `${sign} ${bar.limit} ${measured.unit}`
    : `${sign} ${bar.limit} x ${measured.reference?.name ?? 'reference'}`
}

/** Four significant digits: the noise is larger than the fifth. */
function rounded(value: number): number {
  return Number(value.toPrecision(4))
}

/** One aligned line per figure, with the notes below. */
export function tableOf(figures: readonly Figure[]): string {
  const rows = [
    ['figure', 'value', 'unit', 'reference', 'ratio', 'bar', 'pass'],
    ...figures.map((figure) => [
      figure.name,
      String(figure.value),
      figure.unit,
      figure.reference === null ? '-' : `${figure.reference.name} ${figure.reference.value}`,
      figure.ratio === null ? '-' : figure.ratio.toFixed(2),
      figure.bar || '-',
      figure.pass === null ? '-' : figure.pass ? 'yes' : 'NO'
    ])
  ]
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((r) => r[column]?.length ?? 0)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths?.[column] ?? 0))
      .join('  ')
      .trimEnd()
  )
  const notes = new Set(figures.flatMap(({ note }) => (note === undefined ? [] : [note])))
  return [...lines, ...[...notes].map((note) => `note: ${note}`)].join('\n')
}
