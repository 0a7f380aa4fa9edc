// Carries out requests, however they came: methods of the messenger, commands as methods, and the description of both.
import { CommandError } from '../errors.ts'
import { type CommandHost, callCommand, commandMethods } from './command-methods.ts'
import {
  RPC_ERROR,
  type RpcError,
  type RpcRequest,
  rpcErrorOf,
  SOCKET_VERSION
} from './json-rpc.ts'
import { METHODS, readParams } from './methods.ts'
import { describeMethods } from './open-rpc.ts'

export type Outcome = { readonly result: unknown } | { readonly error: RpcError }

export interface Dispatcher {
  /** Never rejects. The signal ends what waits. */
  carryOut(request: RpcRequest, signal: AbortSignal): Promise<Outcome>
}

export function createDispatcher(host: CommandHost): Dispatcher {
  const commands = commandMethods(host.table)
  const call = async ({ method, params = {} }: RpcRequest, signal: AbortSignal) => {
    if (method === 'hello') return { version: SOCKET_VERSION }
    if (method === 'rpc.discover') return describeMethods(host.table)
    const known = METHODS.get(method)
    if (known !== undefined) return await known.call(host.api, readParams(known, params), signal)
    const command = commands.get(method)
    if (command === undefined) throw new UnknownMethod()
    return await callCommand(command, params, { host, signal })
  }
  return {
    async carryOut(request, signal) {
      try {
        return { result: (await call(request, signal)) ?? null }
      } catch (error) {
        return { error: errorOf(error) }
      }
    }
  }
}

function errorOf(error: unknown): RpcError {
  if (error instanceof UnknownMethod) {
    return { code: RPC_ERROR.methodNotFound, message: 'There is no such method.' }
  }
  const isWrongCall =
    error instanceof CommandError && (error.code === 'malformed' || error.code === 'usage')
  const failure = rpcErrorOf(error)
  return isWrongCall ? { ...failure, code: RPC_ERROR.invalidParams } : failure
}

class UnknownMethod extends Error {
  override readonly name = 'UnknownMethod'
}
