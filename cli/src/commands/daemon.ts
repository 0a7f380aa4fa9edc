// `kith daemon`: holds the account's messenger and serves programs, until it is told to end.
import { type Context, defineCommand, type Input } from '../command.ts'
import { CommandError } from '../errors.ts'
import { line } from '../output.ts'

export const daemon = defineCommand({
  noun: 'daemon',
  summary: 'Keep running and serve programs',
  description:
    'Receives and sends in the background, and serves every command as a JSON-RPC 2.0 method on the local socket\n' +
    '(kith.sock in the home, for you alone). With --http also on loopback HTTP: POST /rpc, GET /events (server-sent\n' +
    'events that go on behind Last-Event-ID), GET /openrpc.json. Programs show the token in the file that is\n' +
    'printed: Authorization: Bearer <token>. Web pages are refused. Ctrl-C or SIGTERM ends it in order, with 0.\n' +
    'What the methods are: kith openrpc.',
  example: 'kith daemon --http 7788',
  arguments: [],
  options: [
    {
      flags: '--http <address>',
      summary: 'serve HTTP on this loopback port (0: any that is free) or address:port'
    }
  ],
  result: 'none',
  async run(context: Context, input: Input) {
    const { startDaemon } = await import('../daemon/daemon.node.ts')
    const { parseHttpAddress } = await import('../daemon/address.ts')
    const given = input.option('http') ?? context.settings.http.value
    const address = given === undefined ? undefined : parseHttpAddress(given)
    const session = await context.open()
    if (!session.isHolder) {
      throw new CommandError(
        'store-in-use',
        'Another kith process holds this home, and serves it.',
        {
          hint: 'end it (a chat, a watch or another daemon), then start the daemon again'
        }
      )
    }
    const running = await startDaemon(context, session.api, address)
    const { output, signal } = context
    await output.value({ type: 'ready', ...running.view })
    await output.notice(line`kith is running; Ctrl-C ends it`)
    await output.print(line`socket  ${running.view.socket}`)
    if (running.view.http !== undefined) {
      await output.print(line`http    ${running.view.http}`)
      await output.print(line`token   ${running.view.tokenFile ?? ''}`)
    }
    if (!signal.aborted) {
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
    }
    await running.stop()
    return undefined
  }
})
