// The `kith-relay` program: commands, errors, exit codes.
import { Command, CommanderError } from 'commander'
import { addBackup } from './commands/backup.node.ts'
import { addConfig } from './commands/config.node.ts'
import { addInit } from './commands/init.node.ts'
import { addInvite } from './commands/invite.node.ts'
import { addReload } from './commands/reload.node.ts'
import { addStart } from './commands/start.node.ts'
import { addStatus } from './commands/status.node.ts'
import { addUser } from './commands/user.node.ts'
import { EXIT, OperatorError } from './errors.ts'
import { createOutput } from './output.ts'

/** Runs the command line of this process; ends it with the exit code. */
export async function main(): Promise<void> {
  const output = createOutput({
    out: (text) => process.stdout.write(text),
    error: (text) => process.stderr.write(text)
  })
  const program = new Command('kith-relay')
    .description(
      'A Kith relay: keeps sealed messages for sleeping devices. It holds no key to any.'
    )
    .addHelpText(
      'after',
      '\nExample:\n  kith-relay init --home ./relay\n  kith-relay start --home ./relay\n\n' +
        `Exit codes: ${EXIT.ok} done, ${EXIT.failure} failed, ${EXIT.usage} wrong usage, ` +
        `${EXIT.storeFailed} the store failed while running`
    )
    .exitOverride()
  addInit(program, output)
  addStart(program, output)
  addStatus(program, output)
  addInvite(program, output)
  addUser(program, output)
  addConfig(program, output)
  addReload(program, output)
  addBackup(program, output)
  throwing(program)
  try {
    await program.parseAsync()
    process.exit(EXIT.ok)
  } catch (error) {
    process.exit(report(error, output.logLine))
  }
}

/** Commands within commands throw as well, instead of ending the process. */
function throwing(command: Command): void {
  command.exitOverride()
  for (const inner of command.commands) throwing(inner)
}

/** Says what happened and what to type; returns the exit code. */
function report(error: unknown, write: (text: string) => void): number {
  // Commander has said it already; its help ends with code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  if (error instanceof OperatorError) {
    write(`kith-relay: ${error.message}\n${error.hint}`)
    return error.exitCode
  }
  write(`kith-relay: ${error instanceof Error ? error.message : String(error)}`)
  return EXIT.failure
}
