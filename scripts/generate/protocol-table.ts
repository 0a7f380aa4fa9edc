// Writes the table of all protocols into protocols/README.md, between its two markers. A second run changes nothing.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DATA_CODECS, KIB, MIB, PROTOCOLS, SECOND_MS } from '@kith/protocols'

const BEGIN = '<!-- begin: npm run proto -->'
const END = '<!-- end: npm run proto -->'

function bytes(count: number): string {
  if (count % MIB === 0) {
    return `${count / MIB} MiB`
  }
  return count % KIB === 0 ? `${count / KIB} KiB` : `${count.toLocaleString('en')} B`
}

const seconds = (milliseconds: number): string => `${milliseconds / SECOND_MS} s`

function protocolRow(protocol: (typeof PROTOCOLS)[number]): readonly string[] {
  const { id, lane, limits } = protocol
  const folder = id.split('/')[2] ?? ''
  const { count, windowMs } = limits.perPeer
  const [answer, wait] =
    protocol.kind === 'request'
      ? [bytes(protocol.limits.responseBytes), seconds(protocol.limits.timeoutMs)]
      : [
          `items of ${bytes(protocol.limits.itemBytes)}, ${bytes(protocol.limits.creditBytes)} in flight`,
          'until cancelled'
        ]
  return [
    `[\`${id}\`](src/${folder}/README.md)`,
    lane,
    bytes(limits.requestBytes),
    answer,
    wait,
    `${count.toLocaleString('en')} in ${seconds(windowMs)}`
  ]
}

/** A Markdown table with columns of even width, as the formatter of this repository writes them. */
function table(rows: readonly (readonly string[])[]): string {
  const [header = []] = rows
  const widths = header.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[], fill: string): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0, fill)).join(' | ')} |`
  const body = rows.slice(1).map((row) => line(row, ' '))
  const rule = line(
    header.map(() => '-'),
    '-'
  )
  return [line(header, ' '), rule, ...body].join('\n')
}

const protocols = table([
  ['protocol', 'lane', 'request', 'response', 'time-out', 'calls of one peer'],
  ...PROTOCOLS.map(protocolRow)
])
const data = table([
  ['encoded by itself', 'at most'],
  ...DATA_CODECS.map(({ name, bytesMax }) => [name, bytes(bytesMax)])
])

const file = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'protocols', 'README.md')
const text = readFileSync(file, 'utf8')
const begin = text.indexOf(BEGIN)
const end = text.indexOf(END)
if (begin < 0 || end < begin) {
  throw new Error(`${file} lacks the markers "${BEGIN}" and "${END}"`)
}
const next = `${text.slice(0, begin + BEGIN.length)}\n\n${protocols}\n\n${data}\n\n${text.slice(end)}`
if (next !== text) {
  writeFileSync(file, next)
}
process.stdout.write(
  `table of ${PROTOCOLS.length} protocols ${next === text ? 'unchanged' : 'written'}\n`
)
