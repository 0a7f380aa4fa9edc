// Makes a relay's folder: identity, settings, store, and the invite of the join link.
import { networkInterfaces } from 'node:os'
import { silentLog, systemClock, systemRandom } from '@kith/node/kernel'
import { nodePrimitives } from '@kith/node/kernel/host'
import { formatJoinLink, type RelayId, relayIdOf } from '@kith/protocols'
import { ConfigError, configWith, isOpen, type RelayConfig, writeConfig } from './config/index.ts'
import { EXIT, OperatorError } from './errors.ts'
import { createHome, filesOf, writeNew } from './home.node.ts'
import { createInviteToken, inviteWrite } from './invites/index.ts'
import { openStore } from './open.node.ts'
import { openMeta } from './storage/meta.ts'

export interface InitOptions {
  readonly home: string
  /** Multiaddrs; the defaults of config/settings.ts when empty. */
  readonly listen: readonly string[]
  readonly announce: readonly string[]
  readonly registration: string
  /** How many accounts the invite lets in. */
  readonly inviteUses: number
}

export interface InitResult {
  readonly id: RelayId
  readonly home: string
  readonly inviteUses: number
  /** Undefined when the address is known only once the relay listens (port 0). */
  readonly joinLink: string | undefined
}

/** Throws OperatorError when a relay is there already or a setting is wrong. */
export async function initRelay(options: InitOptions): Promise<InitResult> {
  const config = configOf(options)
  const files = filesOf(options.home, nodePrimitives.sha256)
  const seed = await createHome(files)
  const invite = isOpen(config) ? '' : createInviteToken(systemRandom)
  const store = await openStore(files, silentLog)
  try {
    await openMeta(store, systemRandom)
    if (invite !== '') {
      await store.commit([
        inviteWrite(
          invite,
          { uses: config.inviteUses, createdAtMs: systemClock.now() },
          nodePrimitives.sha256
        )
      ])
    }
  } finally {
    await store.close()
  }
  await writeNew(files.invite, `${invite}\n`)
  // Last: a folder with settings is complete.
  await writeNew(files.config, writeConfig(config))
  const id = relayIdOf(nodePrimitives.keyPair(seed).publicKey)
  const addresses = config.announce.length > 0 ? config.announce : reachable(config.listen)
  return {
    id,
    home: options.home,
    inviteUses: config.inviteUses,
    joinLink: addresses.length > 0 ? formatJoinLink({ relay: id, addresses, invite }) : undefined
  }
}

function configOf({ listen, announce, registration, inviteUses }: InitOptions): RelayConfig {
  const given = { announce, registration, inviteUses, ...(listen.length > 0 ? { listen } : {}) }
  try {
    return configWith(given)
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause
    throw new OperatorError('usage', cause.message, {
      hint: 'Type: kith-relay init --help',
      exitCode: EXIT.usage,
      cause
    })
  }
}

/** Most a join link carries. */
const ADDRESSES_MAX = 8

/** Addresses others can dial; empty as soon as a port is chosen only at start. */
function reachable(listen: readonly string[]): readonly string[] {
  if (listen.some((address) => /\/tcp\/0(\/|$)/.test(address))) return []
  return listen.flatMap(expand).slice(0, ADDRESSES_MAX)
}

/** The any-address stands for every address of this machine; loopback only if there is no other. */
function expand(address: string): readonly string[] {
  const match = /^\/(ip4|ip6)\/(?:0\.0\.0\.0|::)(\/.*)$/.exec(address)
  if (match === null) return [address]
  const [, kind = 'ip4', rest = ''] = match
  const family = kind === 'ip4' ? 'IPv4' : 'IPv6'
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  const own = all.filter(
    (one) => one.family === family && !one.internal && !isLinkLocal(one.address)
  )
  const loopback = kind === 'ip4' ? '127.0.0.1' : '::1'
  const hosts = own.length > 0 ? own.map((one) => one.address) : [loopback]
  return hosts.map((host) => `/${kind}/${host}${rest}`)
}

/** Needs a zone to be dialled, which others do not share. */
const isLinkLocal = (address: string): boolean => /^(fe80:|169\.254\.)/i.test(address)
