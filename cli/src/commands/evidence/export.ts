// `kith evidence export`: one proof as a file that speaks for itself.
import { type Context, defineCommand, type Input } from '../../command.ts'
import { CommandError } from '../../errors.ts'
import { line } from '../../output.ts'
import { formatEvidence } from './file.ts'

export const evidenceExport = defineCommand({
  noun: 'evidence',
  verb: 'export',
  summary: 'Print one proof, to hand it on',
  description:
    'Prints the proof with this number of `kith evidence list` as JSON, with or without --json: the relay and the two\n' +
    'statements that it signed. Two logs of a box name the account that the box is of, which is yours; nothing in them\n' +
    'tells what anybody wrote. Keep it with `> proof.json`; whoever gets it checks it with `kith evidence check`.',
  example: 'kith evidence export 1',
  arguments: [{ name: 'number', summary: 'number in the list' }],
  options: [],
  async run(context: Context, input: Input) {
    const number = input.text('number')
    const { api } = await context.open()
    const evidence = (await api.listEvidence()).find((one) => `${one.number}` === number)
    if (evidence === undefined) {
      throw new CommandError('not-found', `There is no evidence with the number ${number}.`, {
        hint: 'kith evidence list'
      })
    }
    const file = formatEvidence(evidence)
    await context.output.value(file)
    await context.output.print(line`${JSON.stringify(file)}`)
    return undefined
  }
})
