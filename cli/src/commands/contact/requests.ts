// `kith contact requests`: strangers who wrote and wait for an answer.
import { type Context, defineCommand } from '../../command.ts'
import { line, name, paragraph } from '../../output.ts'
import { dayOf, timeOf } from '../../transcript.ts'

/** Under the name: no line of a stranger's text looks like anything else. */
const MARGIN = line`  │ `

export const contactRequests = defineCommand({
  noun: 'contact',
  verb: 'requests',
  summary: 'List strangers who want to talk to you',
  description:
    'Lists who wrote to you without being a contact: what they call themselves (behind ~, anybody can choose any\n' +
    'name), their account id, when they first wrote, and what. They do not learn that their message arrived, nor\n' +
    'when you read this. At most 100 are kept; in a flood the oldest go.',
  example: 'kith contact requests --json',
  arguments: [],
  result: 'list',
  options: [],
  async run(context: Context) {
    const { api } = await context.open()
    const requests = await api.listRequests()
    const { output } = context
    for (const request of requests) {
      const when = line`${dayOf(request.atMs)} ${timeOf(request.atMs)}`
      await output.value(request)
      await output.print(line`${name(request.name)}  ${request.account}  ${when}`)
      const text = request.text === undefined ? line`no text yet` : paragraph(request.text, MARGIN)
      await output.print(output.style('dim', line`${MARGIN}${text}`))
    }
    if (requests.length === 0) await output.print(line`no requests`)
    return undefined
  }
})
