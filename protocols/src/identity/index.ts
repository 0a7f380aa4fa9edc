// Account logs: who an account's devices and homes are, as signed operations. See README.md.
import { defineProtocol } from '../define.ts'
import { KIB, MIB, SECOND_MS } from '../units.ts'
import {
  AppendOperationRequest,
  AppendOperationResponse,
  FetchLogRequest,
  FetchLogResponse
} from './pb/identity.ts'

export const identityAppend = defineProtocol<AppendOperationRequest, AppendOperationResponse>({
  id: '/kith/identity/append/1.0.0',
  lane: 'control',
  request: AppendOperationRequest,
  response: AppendOperationResponse,
  limits: {
    requestBytes: 16 * KIB,
    responseBytes: KIB,
    timeoutMs: 15 * SECOND_MS,
    perPeer: { count: 20, windowMs: 60 * SECOND_MS }
  }
})

export const identityFetch = defineProtocol<FetchLogRequest, FetchLogResponse>({
  id: '/kith/identity/fetch/1.0.0',
  lane: 'control',
  request: FetchLogRequest,
  response: FetchLogResponse,
  limits: {
    requestBytes: KIB,
    responseBytes: MIB,
    timeoutMs: 15 * SECOND_MS,
    perPeer: { count: 300, windowMs: 60 * SECOND_MS }
  }
})

export * from './account-log.ts'
export * from './operations.ts'
export * from './pb/identity.ts'
