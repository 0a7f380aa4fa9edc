// Writes protocols/test/vectors/*.json: encoded messages with their content, and inputs with results of the
// pure code, so that another implementation can check itself. Everything is fixed: a second run changes nothing.
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { computedVectors } from './vectors/computed.ts'
import { jsonOf } from './vectors/json.ts'
import { messageVectors } from './vectors/messages.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const folder = join(root, 'protocols', 'test', 'vectors')

mkdirSync(folder, { recursive: true })
const vectors = { ...messageVectors(), ...computedVectors() }
for (const [name, content] of Object.entries(vectors)) {
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(jsonOf(content), null, 2)}\n`)
}
// So that the formatter finds nothing to change in them.
execFileSync(join(root, 'node_modules', '.bin', 'biome'), ['format', '--write', folder])
process.stdout.write(`wrote ${Object.keys(vectors).length} files of vectors\n`)
