// The passphrase of a key file that is about to be written: given, asked for twice, or none.
import type { Context } from '../../command.ts'
import { CommandError } from '../../errors.ts'

/** Undefined when none is wanted. Throws `passphrase-needed` or `usage`. */
export async function choosePassphrase(
  context: Context,
  isWanted: boolean
): Promise<string | undefined> {
  const given = await context.secrets.given()
  if (given !== undefined || !isWanted) return given
  const first = await context.secrets.ask('New passphrase: ')
  if (first === undefined) {
    throw new CommandError(
      'passphrase-needed',
      'There is no terminal to ask for a passphrase on.',
      {
        hint: 'give --passphrase-file FILE, or set KITH_PASSPHRASE'
      }
    )
  }
  if (first === '') throw new CommandError('usage', 'The passphrase is empty. Nothing was made.')
  if ((await context.secrets.ask('Once more: ')) !== first) {
    throw new CommandError('usage', 'The two passphrases differ. Nothing was made.')
  }
  return first
}
