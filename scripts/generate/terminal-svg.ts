// The picture of a terminal as SVG: every run of cells of one look is a text of exactly that many cells, so that it stands
// right with whatever monospaced font is there.
import type { Cell } from '@kith/cli/testing'

const FONT_SIZE = 14
const CELL_WIDTH = 8.4
const CELL_HEIGHT = 18
const PADDING = 12
/** From the top of a row to the line the letters stand on. */
const BASELINE = 13.5

export interface Palette {
  readonly text: string
  readonly ground: string
  /** The sixteen colours in the order of their numbers. */
  readonly colors: readonly string[]
}

/** Colours that terminals of today come with, near enough. */
export const DARK: Palette = {
  text: '#d8dee9',
  ground: '#1b1f27',
  colors: [
    ...['#1b1f27', '#bf616a', '#98c379', '#e5c07b', '#2f5d9b', '#b48ead', '#56b6c2', '#e5e9f0'],
    ...['#7f8896', '#e06c75', '#98c379', '#e5c07b', '#61afef', '#c678dd', '#56b6c2', '#ffffff']
  ]
}

export const LIGHT: Palette = {
  text: '#2b303b',
  ground: '#fbfbf8',
  colors: [
    ...['#2b303b', '#b3261e', '#3d7a2a', '#8a6d00', '#1f4f9e', '#8b2f8b', '#9fd3dc', '#e8e8e4'],
    ...['#6b7280', '#b3261e', '#3d7a2a', '#8a6d00', '#1f4f9e', '#8b2f8b', '#2a7f8a', '#ffffff']
  ]
}

interface Run {
  readonly column: number
  readonly cells: number
  readonly text: string
  readonly color: string
  readonly ground: string
  readonly isBold: boolean
}

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)

function lookOf(cell: Cell, palette: Palette) {
  const color = cell.color === undefined ? palette.text : (palette.colors[cell.color] ?? '')
  const ground = cell.ground === undefined ? palette.ground : (palette.colors[cell.ground] ?? '')
  const isBold = cell.isBold
  return cell.isInverse ? { color: ground, ground: color, isBold } : { color, ground, isBold }
}

function runsOf(row: readonly Cell[], palette: Palette): readonly Run[] {
  const runs: Run[] = []
  row.forEach((cell, column) => {
    if (cell.cells === 0) return
    const text = cell.text === '' ? ' ' : cell.text
    const run: Run = { column, cells: cell.cells, text, ...lookOf(cell, palette) }
    const last = runs.at(-1)
    const isSame =
      last !== undefined &&
      last.color === run.color &&
      last.ground === run.ground &&
      last.isBold === run.isBold &&
      // Wide characters and marks are drawn alone: fonts do not keep to their width.
      run.cells === 1 &&
      last.cells === last.text.length &&
      text.length === 1
    if (isSame) runs[runs.length - 1] = { ...last, cells: last.cells + 1, text: last.text + text }
    else runs.push(run)
  })
  return runs
}

function drawRun(run: Run, row: number, palette: Palette): string {
  const x = (PADDING + run.column * CELL_WIDTH).toFixed(1)
  const y = PADDING + row * CELL_HEIGHT
  const width = (run.cells * CELL_WIDTH).toFixed(1)
  const ground =
    run.ground === palette.ground
      ? ''
      : `<rect x="${x}" y="${y}" width="${width}" height="${CELL_HEIGHT}" fill="${run.ground}"/>`
  if (run.text.trim() === '') return ground
  const weight = run.isBold ? ' font-weight="bold"' : ''
  const place = `x="${x}" y="${y + BASELINE}" textLength="${width}" lengthAdjust="spacingAndGlyphs"`
  return `${ground}<text ${place} fill="${run.color}"${weight}>${escaped(run.text)}</text>`
}

/** `title` is what somebody hears who does not see the picture. */
export function terminalSvg(
  rows: readonly (readonly Cell[])[],
  { palette, title }: { palette: Palette; title: string }
): string {
  const width = Math.ceil(2 * PADDING + (rows[0]?.length ?? 0) * CELL_WIDTH)
  const height = 2 * PADDING + rows.length * CELL_HEIGHT
  const drawn = rows.flatMap((row, index) =>
    runsOf(row, palette)
      .map((run) => drawRun(run, index, palette))
      .filter(Boolean)
  )
  const font = `font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="${FONT_SIZE}"`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" rx="8" fill="${palette.ground}"/>`,
    `<g ${font} xml:space="preserve">`,
    ...drawn,
    '</g>',
    '</svg>',
    ''
  ].join('\n')
}
