// Counters, gauges and histograms, and their text form for Prometheus (exposition format 0.0.4). Small enough to
// own: no default collectors, no registry of registries, no dependency in the browser.

/** Few values a label: never a peer, an account or text from the network. */
export type Labels = Readonly<Record<string, string>>

export interface Counter {
  add(value?: number): void
}

export interface Gauge {
  set(value: number): void
}

export interface Histogram {
  observe(value: number): void
}

/** Asking twice for the same name and labels gives the same instrument: keep it where it is used often. */
export interface Metrics {
  /** `name` ends in `_total`. */
  counter(name: string, help: string, labels?: Labels): Counter
  gauge(name: string, help: string, labels?: Labels): Gauge
  /** `name` ends in `_seconds` or `_bytes`; `buckets` are ascending upper bounds. */
  histogram(name: string, help: string, buckets: readonly number[], labels?: Labels): Histogram
  /** The text that a scraper reads. */
  exposition(): string
}

/** 100 µs to 30 s: from an exchange on loopback to the longest time-out. */
export const LATENCY_BUCKETS: readonly number[] = [
  0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30
]

/** Label values come from code, so more series than this is a label that takes values from outside. */
export const SERIES_MAX = 1_000

interface Series {
  readonly labels: string
  write(name: string): string
}

interface Family {
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly series: Map<string, Series>
}

class Value implements Counter, Gauge, Series {
  readonly labels: string
  #value = 0

  constructor(labels: string) {
    this.labels = labels
  }

  add(value = 1): void {
    this.#value += value
  }

  set(value: number): void {
    this.#value = value
  }

  write(name: string): string {
    return `${name}${braces(this.labels)} ${this.#value}\n`
  }
}

class Distribution implements Histogram, Series {
  readonly labels: string
  readonly #bounds: readonly number[]
  readonly #counts: number[]
  #sum = 0
  #count = 0

  constructor(labels: string, bounds: readonly number[]) {
    this.labels = labels
    this.#bounds = bounds
    this.#counts = bounds.map(() => 0)
  }

  observe(value: number): void {
    this.#sum += value
    this.#count += 1
    const index = this.#bounds.findIndex((bound) => value <= bound)
    if (index >= 0) this.#counts[index] = (this.#counts[index] ?? 0) + 1
  }

  write(name: string): string {
    let below = 0
    const lines = this.#bounds.map((bound, index) => {
      below += this.#counts[index] ?? 0
      return `${name}_bucket${braces(this.labels, `le="${bound}"`)} ${below}\n`
    })
    lines.push(`${name}_bucket${braces(this.labels, 'le="+Inf"')} ${this.#count}\n`)
    lines.push(`${name}_sum${braces(this.labels)} ${this.#sum}\n`)
    lines.push(`${name}_count${braces(this.labels)} ${this.#count}\n`)
    return lines.join('')
  }
}

/** Metrics kept in memory, written out on request. */
export function createMetrics(): Metrics {
  const families = new Map<string, Family>()
  let seriesCount = 0

  function instrument<T extends Series>(
    name: string,
    help: string,
    type: Family['type'],
    labels: Labels | undefined,
    create: (labels: string) => T
  ): T {
    let family = families.get(name)
    if (family === undefined) {
      family = { help, type, series: new Map() }
      families.set(name, family)
    }
    if (family.type !== type) throw new Error(`metric ${name} is a ${family.type}`)
    const key = labelText(labels)
    const known = family.series.get(key)
    if (known !== undefined) return known as T
    if (seriesCount >= SERIES_MAX) throw new Error(`more than ${SERIES_MAX} metric series`)
    seriesCount += 1
    const created = create(key)
    family.series.set(key, created)
    return created
  }

  return {
    counter: (name, help, labels) =>
      instrument(name, help, 'counter', labels, (key) => new Value(key)),
    gauge: (name, help, labels) => instrument(name, help, 'gauge', labels, (key) => new Value(key)),
    histogram: (name, help, buckets, labels) =>
      instrument(name, help, 'histogram', labels, (key) => new Distribution(key, buckets)),
    exposition: () => [...families].map(([name, family]) => familyText(name, family)).join('')
  }
}

/** Metrics nobody reads. */
export const noMetrics: Metrics = {
  counter: () => ({ add() {} }),
  gauge: () => ({ set() {} }),
  histogram: () => ({ observe() {} }),
  exposition: () => ''
}

function familyText(name: string, family: Family): string {
  const head = `# HELP ${name} ${family.help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n`
  const series = [...family.series.values()].map((one) => one.write(name)).join('')
  return `${head}# TYPE ${name} ${family.type}\n${series}`
}

function labelText(labels: Labels | undefined): string {
  if (labels === undefined) return ''
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeValue(value)}"`)
    .join(',')
}

function escapeValue(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function braces(...parts: string[]): string {
  const filled = parts.filter((part) => part !== '')
  return filled.length === 0 ? '' : `{${filled.join(',')}}`
}
