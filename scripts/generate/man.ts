// Writes the manual pages of kith into cli/man, one file a command, from the table of commands. A second run changes nothing.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { COMMANDS, manPages, NOUNS } from '@kith/cli'

const folder = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'cli', 'man')
const pages = manPages({ commands: COMMANDS, nouns: NOUNS })
mkdirSync(folder, { recursive: true })
for (const file of readdirSync(folder)) if (!pages.has(file)) rmSync(join(folder, file))
for (const [file, text] of pages) writeFileSync(join(folder, file), text)
