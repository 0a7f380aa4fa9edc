// The worker's end of processes.ts: commands in, results out, and the process ends with its parent.

type Command = (argument: never) => Promise<unknown>

/** Serves the commands until the parent goes away. Commands may run side by side. */
export function serveCommands(commands: Readonly<Record<string, Command>>): void {
  const all: Readonly<Record<string, Command>> = { cpuSeconds, ...commands }
  process.on('message', async (message: { id: number; command: string; argument: unknown }) => {
    const { id, command, argument } = message
    try {
      const run = all[command]
      if (run === undefined) throw new Error(`no command ${command}`)
      process.send?.({ id, result: await run(argument as never) })
    } catch (error) {
      process.send?.({ id, error: describe(error) })
    }
  })
  process.on('disconnect', () => process.exit(0))
}

/** Processor seconds (user and system) of this process so far. */
async function cpuSeconds(): Promise<number> {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
