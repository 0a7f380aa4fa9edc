// The six emoji, and the question whether they are the same on the other device: asked alike on both sides.
import type { EmojiView } from '@kith/node'
import type { Context } from '../../command.ts'
import { readInputLines } from '../../input-text.ts'
import { join, line } from '../../output.ts'

const YES: ReadonlySet<string> = new Set(['y', 'yes'])
const NO: ReadonlySet<string> = new Set(['n', 'no'])
/** Answers that are neither; after that somebody is not at the keyboard. */
const TRIES_MAX = 5

/**
 * Shows the emoji and reads an answer from standard input: true, false, or undefined when the input ended or nobody
 * gave one.
 */
export async function compare(
  context: Context,
  emoji: readonly EmojiView[],
  signal: AbortSignal
): Promise<boolean | undefined> {
  const { output } = context
  await output.print(line``)
  await output.print(
    line`  ${join(
      emoji.map(({ symbol, name }) => line`${symbol} ${name}`),
      '   '
    )}`
  )
  await output.print(line``)
  await output.notice(line`Are these six the same, in this order, on both devices? Type yes or no:`)
  let tries = 0
  for await (const input of readInputLines(context.stdin, signal)) {
    const word = 'text' in input ? input.text.trim().toLowerCase() : ''
    if (YES.has(word)) return true
    if (NO.has(word)) return false
    tries += 1
    if (tries >= TRIES_MAX) return undefined
    await output.notice(line`Type yes or no:`)
  }
  return undefined
}
