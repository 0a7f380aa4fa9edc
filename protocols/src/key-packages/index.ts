// Key packages: what lets a device be added to a group while it sleeps. See README.md.
import { defineProtocol } from '../define.ts'
import { KIB, SECOND_MS } from '../units.ts'
import { PublishRequest, PublishResponse, TakeRequest, TakeResponse } from './pb/key-packages.ts'

/** A classical package is 385 to 600 bytes (measured); room for a post-quantum one of 2.8 KB. */
export const KEY_PACKAGE_BYTES_MAX = 4 * KIB

export const keyPackagesPublish = defineProtocol<PublishRequest, PublishResponse>({
  id: '/kith/key-packages/publish/1.0.0',
  lane: 'control',
  request: PublishRequest,
  response: PublishResponse,
  limits: {
    requestBytes: 272 * KIB,
    // 65 hashes.
    responseBytes: 4 * KIB,
    timeoutMs: 15 * SECOND_MS,
    perPeer: { count: 60, windowMs: 60 * SECOND_MS }
  }
})

export const keyPackagesTake = defineProtocol<TakeRequest, TakeResponse>({
  id: '/kith/key-packages/take/1.0.0',
  lane: 'control',
  request: TakeRequest,
  response: TakeResponse,
  limits: {
    requestBytes: KIB,
    responseBytes: 272 * KIB,
    timeoutMs: 15 * SECOND_MS,
    // Taking drains somebody's supply, so it is the scarcest of all.
    perPeer: { count: 60, windowMs: 60 * SECOND_MS }
  }
})

export * from './pb/key-packages.ts'
