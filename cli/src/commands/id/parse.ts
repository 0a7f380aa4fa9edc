// `kith id parse`: what a link or an id says, without an account and without asking anybody.
import { type Context, defineCommand, type Input } from '../../command.ts'
import { line } from '../../output.ts'

type Part = readonly [name: string, value: string]

interface Parsed {
  readonly type: 'contact-link' | 'join-link' | 'account' | 'device-or-relay'
  readonly parts: readonly Part[]
  /** The same for programs. */
  readonly value: object
}

export const idParse = defineCommand({
  noun: 'id',
  verb: 'parse',
  summary: 'Say what a link or an id is, and what is in it',
  description:
    'Takes a contact link, a join link, an account id, or the id of a device or relay. Nothing is added, dialled or asked:\n' +
    'look at a link from somebody before you use it. Text that is none of them ends with exit code 2.',
  example: "kith id parse 'kith:contact/…'",
  arguments: [{ name: 'text', summary: 'a link or an id; links go in quotes' }],
  options: [],
  async run(context: Context, input: Input) {
    const { parseAnything } = await import('./parse-anything.ts')
    const { type, parts, value }: Parsed = parseAnything(input.text('text'))
    await context.output.value({ type, ...value })
    await context.output.print(line`${type}`)
    for (const [name, part] of parts) await context.output.print(line`  ${name.padEnd(9)}${part}`)
    return undefined
  }
})
