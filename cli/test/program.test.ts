import { describe, expect, it } from 'vitest'
import { COMMANDS } from '../src/commands/index.ts'
import { EXIT_CODES } from '../src/exit-codes.ts'
import { MemoryWorld } from './memory-engine.ts'
import { run } from './run.ts'

const kith = (...argv: string[]) => run(argv, { home: '/nowhere', engine: new MemoryWorld() })
const wordsOf = (command: (typeof COMMANDS)[number]) =>
  [command.noun, command.verb].filter((word) => word !== undefined)

describe('help', () => {
  it.each(COMMANDS.map((command) => [wordsOf(command).join(' '), command] as const))(
    'of %s says what it does, what it takes, and shows an example of itself',
    async (words, command) => {
      const { code, stdout, stderr } = await kith(...wordsOf(command), '--help')
      expect(code).toBe(0)
      expect(stderr).toBe('')
      expect(stdout).toContain(command.summary)
      expect(command.description.length).toBeGreaterThan(80)
      expect(stdout).toContain(`Example:\n  ${command.example}`)
      expect(command.example).toContain(`kith ${words}`)
      for (const { name } of command.arguments) expect(stdout).toContain(name)
      for (const { flags } of command.options) expect(stdout).toContain(flags)
      expect(stdout).toContain('--json')
    }
  )

  it.each(COMMANDS.map((command) => [command.example]))(
    'gives an example that parses: %s',
    async (example) => {
      const words = example.slice(example.indexOf('kith ') + 5).split(' | ')[0] ?? ''
      const argv = [...words.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
        (m) => m[1] ?? m[2] ?? m[3] ?? ''
      )
      const { code, stderr } = await kith(...argv)
      expect(stderr).not.toContain('--help')
      expect(code).not.toBe(1)
    }
  )

  it('lists every exit code with its meaning', async () => {
    const { code, stdout } = await kith('--help')
    expect(code).toBe(0)
    for (const { code: exit, meaning } of EXIT_CODES)
      expect(stdout).toContain(`${exit}  ${meaning}`)
  })

  it('is what no words at all show', async () => {
    expect((await kith()).stdout).toBe((await kith('--help')).stdout)
  })
})

describe('wrong usage', () => {
  it.each([
    [['mesage'], "Unknown command 'mesage'. Did you mean message?", 'kith --help'],
    [
      ['message', 'sned', 'bob'],
      "Unknown command 'sned'. Did you mean send?",
      'kith message --help'
    ],
    [
      ['chat', 'bob', '--timout', '3'],
      "Unknown option '--timout'. Did you mean --timeout?",
      'kith chat --help'
    ],
    [['contact', 'add'], "Missing required argument 'link'.", 'kith contact add --help'],
    [
      ['account', 'create', '--name', 'a'],
      "Required option '--relay <link>' not specified.",
      'kith account create --help'
    ],
    [['message'], 'The command is not complete.', 'kith message --help'],
    [['message', 'list', 'bob', '--limit', '0'], 'from 1 to 1000, not 0.', ''],
    [['message', 'list', 'bob', '--limit', '1e3'], 'from 1 to 1000, not 1e3.', ''],
    [
      ['message', 'send', 'bob', 'x', '--wait', 'read'],
      'Allowed choices are accepted, delivered.',
      'kith message send --help'
    ]
  ])('%j is answered with words and a way on', async (argv, message, hint) => {
    const { code, stdout, stderr } = await kith(...argv)
    expect(code).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/^kith: /)
    expect(stderr).toContain(message)
    if (hint !== '') expect(stderr).toContain(`\n  try: ${hint}\n`)
  })

  it('is one line of JSON on standard error with --json, wherever it stands', async () => {
    const { code, stdout, stderr } = await kith('mesage', '--json')
    expect([code, stdout]).toEqual([2, ''])
    expect(JSON.parse(stderr)).toEqual({
      error: {
        code: 'usage',
        message: "Unknown command 'mesage'. Did you mean message?",
        hint: 'kith --help',
        exitCode: 2
      }
    })
  })

  it('cannot be used to write to the terminal', async () => {
    const { stderr } = await kith('\u001B]52;c;x\u0007\u202E')
    expect(stderr).toContain('␛]52;c;x␇')
    expect(stderr.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u)
  })
})
