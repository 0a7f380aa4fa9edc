// `kith evidence list`: what relays signed and contradicted.
import { type Context, defineCommand } from '../../command.ts'
import { line } from '../../output.ts'
import { dayOf, timeOf } from '../../transcript.ts'
import { WORDS } from './words.ts'

export const evidenceList = defineCommand({
  noun: 'evidence',
  verb: 'list',
  summary: 'List what relays signed and contradicted',
  description:
    'A relay that shows two people different things has to sign both. Where this device saw both, it kept them: each is\n' +
    'proof that anybody can check, with no account and without trusting you. The first 64 are kept. Seeing one here means\n' +
    'that the relay lied or lost its memory; your messages go on, and a move to another relay is worth a thought.',
  example: 'kith evidence list --json',
  arguments: [],
  result: 'list',
  options: [],
  async run(context: Context) {
    const { api } = await context.open()
    const evidence = await api.listEvidence()
    const { output } = context
    for (const one of evidence) {
      await output.value(one)
      const when = line`${dayOf(one.atMs)} ${timeOf(one.atMs)}`
      await output.print(line`${one.number}  ${when}  ${one.relay}: ${WORDS[one.kind]}`)
    }
    if (evidence.length === 0) await output.print(line`no evidence: no relay contradicted itself`)
    return undefined
  }
})
