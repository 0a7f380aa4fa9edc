// The manual pages: one for each command, current, and without warnings where groff is at hand.
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { COMMANDS, NOUNS } from '../src/commands/index.ts'
import { manPages } from '../src/man.ts'

const FOLDER = join(import.meta.dirname, '..', 'man')
const pages = manPages({ commands: COMMANDS, nouns: NOUNS })

function hasGroff(): boolean {
  try {
    execFileSync('groff', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describe('manual pages', () => {
  it('are those that are committed', () => {
    expect(readdirSync(FOLDER).sort()).toEqual([...pages.keys()].sort())
    for (const [file, text] of pages) {
      expect(readFileSync(join(FOLDER, file), 'utf8'), file).toBe(text)
    }
  })

  it('show every option, argument and example', () => {
    for (const command of COMMANDS) {
      const { noun, verb, example } = command
      const page = pages.get(`kith-${verb === undefined ? noun : `${noun}-${verb}`}.1`) ?? ''
      for (const { flags } of command.options) expect(page).toContain(flags.replaceAll('-', '\\-'))
      for (const { name } of command.arguments)
        expect(page).toContain(`.B ${name.replaceAll('-', '\\-')}`)
      expect(page).toContain(example.replaceAll('\\', '\\e').replaceAll('-', '\\-'))
    }
  })

  it('have no line that would be taken for a macro', () => {
    for (const text of pages.values()) {
      const macros = text.split('\n').filter((line) => /^['.]/.test(line))
      expect(macros.filter((line) => !/^\.(TH|SH|PP|TP|B|I|RI|BR|EX|EE)\b/.test(line))).toEqual([])
    }
  })

  it.skipIf(!hasGroff())('are typeset without a warning', () => {
    for (const [file, text] of pages) {
      const typeset = execFileSync('groff', ['-man', '-ww', '-Tutf8', '-z'], {
        input: text,
        stdio: ['pipe', 'pipe', 'pipe']
      })
      expect(typeset.toString(), file).toBe('')
    }
  })
})
