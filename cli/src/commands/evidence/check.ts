// `kith evidence check`: whether a proof holds, for anybody, without an account.
import { type Context, defineCommand } from '../../command.ts'
import { CommandError } from '../../errors.ts'
import { line } from '../../output.ts'
import { EVIDENCE_FILE_BYTES_MAX, parseEvidence } from './file.ts'
import { WORDS } from './words.ts'

export const evidenceCheck = defineCommand({
  noun: 'evidence',
  verb: 'check',
  summary: 'Check a proof that somebody handed you',
  description:
    'Reads what `kith evidence export` printed from standard input (`< proof.json`) and checks it by itself: both have to\n' +
    "bear the relay's signature, and must not both be true. Needs no account and asks nobody. Exit code 0 means that it holds.",
  example: 'kith evidence check',
  arguments: [],
  options: [],
  async run(context: Context) {
    const { relay, kind, statements } = parseEvidence(await readAll(context))
    const holds = (await context.engine()).checkEvidence({ relay, kind, statements })
    if (!holds) {
      throw new CommandError('not-proven', `This proves nothing against ${relay}.`, {
        hint: 'kith evidence export <number>, and hand it on unchanged'
      })
    }
    await context.output.value({ holds, relay, kind })
    await context.output.print(line`✓ proven of ${relay}: ${WORDS[kind]}`)
    return undefined
  }
})

async function readAll({ stdin }: Context): Promise<string> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const chunk of stdin.bytes) {
    length += chunk.byteLength
    if (length > EVIDENCE_FILE_BYTES_MAX) {
      throw new CommandError('malformed', 'This is no evidence: it is too long.')
    }
    parts.push(chunk)
  }
  return new TextDecoder().decode(Buffer.concat(parts))
}
