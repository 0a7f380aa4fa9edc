// Writes protocols/test/vectors/*.json: encoded messages with their content, and inputs with results of the
// pure code, so that another implementation can check itself. Everything is fixed: a second run changes nothing.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { computedVectors } from './vectors/computed.ts'
import { jsonOf } from './vectors/json.ts'
import { messageVectors } from './vectors/messages.ts'

const folder = join(
  dirname(fileURLToPath(import.meta.url)),
  '..',
  '..',
  'protocols',
  'test',
  'vectors'
)

mkdirSync(folder, { recursive: true })
const vectors = { ...messageVectors(), ...computedVectors() }
for (const [name, content] of Object.entries(vectors)) {
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(jsonOf(content), null, 2)}\n`)
}
process.stdout.write(`wrote ${Object.keys(vectors).length} files of vectors\n`)
