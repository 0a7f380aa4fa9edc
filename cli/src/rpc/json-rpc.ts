// JSON-RPC 2.0 as spoken on the local socket: one message a line. Only what both sides share. See ../../README.md.
import { CommandError, failureOf } from '../errors.ts'
import { toSafeJson } from '../sanitize.ts'

/** Raised when a method changes in a way that an older client or server would misread. */
export const SOCKET_VERSION = 1

/** Standard codes of the specification, and one for every failure that carries a code of ours in `data`. */
export const RPC_ERROR = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  failure: -32000,
  /** The server is ending; the request was not carried out. */
  closing: -32001,
  /** Too many clients, or a client that does not read. */
  overloaded: -32002
} as const

export type RpcId = string | number | null
export type RpcParams = Readonly<Record<string, unknown>>

export interface RpcRequest {
  readonly jsonrpc: '2.0'
  /** Absent in a notification, which is never answered. */
  readonly id?: RpcId
  readonly method: string
  readonly params?: RpcParams
}

export interface RpcError {
  readonly code: number
  readonly message: string
  readonly data?: { readonly code: string; readonly hint?: string }
}

export type RpcResponse =
  | { readonly jsonrpc: '2.0'; readonly id: RpcId; readonly result: unknown }
  | { readonly jsonrpc: '2.0'; readonly id: RpcId; readonly error: RpcError }

/** One message and its line break. */
export function encodeLine(message: RpcRequest | RpcResponse): string {
  return `${toSafeJson(message)}\n`
}

/** The wire form of whatever a method threw. */
export function rpcErrorOf(error: unknown): RpcError {
  const { code, message, hint } = failureOf(error)
  const more = error instanceof CommandError ? error.data : undefined
  const data = { code, ...(hint === undefined ? {} : { hint }), ...more }
  return { code: RPC_ERROR.failure, message, data }
}

/** The failure to show for an error from the wire. */
export function failureFromRpc(error: RpcError): CommandError {
  const code = typeof error.data?.code === 'string' ? error.data.code : 'socket'
  const hint = typeof error.data?.hint === 'string' ? error.data.hint : undefined
  return new CommandError(code, String(error.message), { hint })
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A request from a parsed line, or undefined when it is not one. */
export function readRequest(value: unknown): RpcRequest | undefined {
  if (!isRecord(value) || value.jsonrpc !== '2.0' || typeof value.method !== 'string')
    return undefined
  const { id, params, method } = value
  const idFits = id === undefined || id === null || typeof id === 'string' || typeof id === 'number'
  if (!idFits || (params !== undefined && !isRecord(params))) return undefined
  return {
    jsonrpc: '2.0',
    method,
    ...(id === undefined ? {} : { id }),
    ...(params === undefined ? {} : { params })
  }
}
