// What a daemon serves besides the socket, which whoever holds the store serves anyway.
import type { MessengerApi } from '@kith/node'
import type { Context } from '../command.ts'
import { socketPlace } from '../socket/path.node.ts'
import type { HttpAddress } from './address.ts'
import { serveHttp } from './http.node.ts'
import { openToken } from './token.node.ts'

export interface Daemon {
  readonly view: {
    readonly socket: string
    readonly http?: string
    readonly tokenFile?: string
  }
  stop(): Promise<void>
}

/** Throws what listening and the token throw. */
export async function startDaemon(
  context: Context,
  api: MessengerApi,
  address: HttpAddress | undefined
): Promise<Daemon> {
  const socket = socketPlace(context.home).path
  if (address === undefined) return { view: { socket }, stop: async () => undefined }
  const token = await openToken(context.home)
  const http = await serveHttp({ address, token, host: { ...context, api } })
  return {
    view: { socket, http: http.url, tokenFile: token.path },
    stop: () => http.close()
  }
}
