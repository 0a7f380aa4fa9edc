// How a person is named on the command line.
import type { ArgumentSpec } from '../../command.ts'

/** A contact or a stranger. */
export const WHO_ARGUMENT: ArgumentSpec = {
  name: 'who',
  summary: 'name, account id, or the first 8 or more characters of an account id'
}
