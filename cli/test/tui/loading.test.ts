import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, it } from 'vitest'

const SOURCES = join(import.meta.dirname, '..', '..', 'src')

/** Files and packages that a file loads with itself, dynamic imports and types left out. */
function loadedBy(file: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(file)) return found
  found.add(file)
  const text = readFileSync(file, 'utf8')
  for (const [, specifier] of text.matchAll(
    /^(?:import|export) (?!type\b)[^'"]*['"]([^'"]+)['"]/gm
  )) {
    if (specifier?.startsWith('.')) loadedBy(join(dirname(file), specifier), found)
    else found.add(specifier as string)
  }
  return found
}

it('is loaded by no other command, nor by the help', () => {
  const loaded = loadedBy(join(SOURCES, 'start.node.ts'))
  const files = [...loaded].map((one) => relative(SOURCES, one))
  expect(files).toContain('commands/tui.ts')
  expect(files.filter((one) => one.startsWith('tui/'))).toEqual([])
  for (const heavy of ['ink', 'react', 'string-width']) expect(loaded).not.toContain(heavy)
  const inside = loadedBy(join(SOURCES, 'tui', 'index.ts'))
  expect(inside).toContain('ink')
})
