// What a removed device can still derive: nothing. One library release sent removals without fresh keys, and the
// pinned one forgets them when a single device stays behind; both are attacked here as the removed would.
import { readFile } from 'node:fs/promises'
import type { envelope } from '@kith/protocols'
import { type ClientState, decodeMlsMessage, type PublicMessage } from 'ts-mls'
import { defaultClientConfig } from 'ts-mls/clientConfig.js'
import { encode } from 'ts-mls/codec/tlsEncoder.js'
import { decryptWithLabel } from 'ts-mls/crypto/hpke.js'
import { deriveSecret } from 'ts-mls/crypto/kdf.js'
import { groupContextEncoder } from 'ts-mls/groupContext.js'
import { initializeEpoch } from 'ts-mls/keySchedule.js'
import { describe, expect, test } from 'vitest'
import { openEnvelope, readEnvelope, sealEnvelope } from '../../src/conversations/sealing.ts'
import type { CommitResult, GroupSnapshot, LocalDevice } from '../../src/groups/group-crypto.ts'
import { createMlsCrypto } from '../../src/groups/mls.ts'
import { decodeState } from '../../src/groups/mls-codec.ts'
import { createSuite } from '../../src/groups/mls-suite.ts'
import { nodePrimitives as primitives } from '../../src/kernel/primitives.node.ts'
import { createDevice } from '../../src/testing/people.ts'

const crypto = await createMlsCrypto({ primitives })
const suite = await createSuite(primitives)
const certified = () => true
const ZEROS = new Uint8Array(32)
/** Deeper than any path secret of the small trees here. */
const LEVELS = 8

const people = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank']
const devices = people.map((name) => createDevice(name, 'laptop', primitives))

/** A group of the first `count` devices, created by the first, everybody at the same epoch. */
async function group(count: number): Promise<GroupSnapshot[]> {
  const [creator, ...others] = devices.slice(0, count) as [LocalDevice, ...LocalDevice[]]
  const alone = await crypto.create(creator, new Uint8Array(32).fill(1))
  const pairs = await Promise.all(others.map((device) => crypto.createKeyPackage(device)))
  const packages = pairs.map(({ keyPackage }) => keyPackage)
  const added = await crypto.add(alone.state, packages, certified)
  const welcome = added.welcome as Uint8Array
  const joins = pairs.map(({ secret }) => crypto.join(welcome, secret, certified))
  return [added, ...(await Promise.all(joins))]
}

function publicMessageOf(commit: Uint8Array): PublicMessage {
  const message = decodeMlsMessage(commit.slice(), 0)?.[0]
  if (message?.wireformat !== 'mls_public_message') throw new Error('expected a public message')
  return message.publicMessage
}

function pathOf(commit: Uint8Array) {
  const { content } = publicMessageOf(commit)
  if (content.contentType !== 'commit') throw new Error('expected a commit')
  return content.commit.path
}

const load = (state: Uint8Array): ClientState => decodeState(state, defaultClientConfig)

/**
 * Every commit secret that the private keys of a state open in the path of a commit, and the all-zero one that
 * stands for no path. Group contexts are no secret, so the true one is given.
 */
async function commitSecrets(old: ClientState, result: CommitResult): Promise<Uint8Array[]> {
  const { treeHash, epoch } = load(result.state).groupContext
  const context = encode(groupContextEncoder)({ ...old.groupContext, treeHash, epoch })
  const secrets: Uint8Array[] = [ZEROS]
  const ciphertexts = pathOf(result.commit)?.nodes.flatMap((node) => node.encryptedPathSecret) ?? []
  for (const { kemOutput, ciphertext } of ciphertexts) {
    for (const key of Object.values(old.privatePath.privateKeys)) {
      const privateKey = await suite.hpke.importPrivateKey(key)
      let secret: Uint8Array | undefined = await decryptWithLabel(
        privateKey,
        'UpdatePathNode',
        context,
        kemOutput,
        ciphertext,
        suite.hpke
      ).catch(() => undefined)
      for (let level = 0; secret !== undefined && level < LEVELS; level += 1) {
        secret = await deriveSecret(secret, 'path', suite.kdf)
        secrets.push(secret)
      }
    }
  }
  return secrets
}

/**
 * Every exporter secret that somebody with an old state and the commits since then can reach: each epoch mixes
 * the init secret of the one before with a commit secret.
 */
async function reach(from: GroupSnapshot, ...results: CommitResult[]): Promise<Uint8Array[]> {
  const old = load(from.state)
  let schedules = [old.keySchedule]
  for (const result of results) {
    const context = load(result.state).groupContext
    const secrets = await commitSecrets(old, result)
    const epochs = schedules.flatMap(({ initSecret }) =>
      secrets.map((secret) => initializeEpoch(initSecret, secret, context, ZEROS, suite.kdf))
    )
    schedules = (await Promise.all(epochs)).map(({ keySchedule }) => keySchedule)
  }
  return schedules.map(({ exporterSecret }) => exporterSecret)
}

const exporterOf = ({ state }: GroupSnapshot) => load(state).keySchedule.exporterSecret

describe('the attack itself', () => {
  test('reaches the next epoch when it starts from a member who stays', async () => {
    const [alice, bob] = await group(3)
    const carol = devices[2] as LocalDevice
    const result = await crypto.remove((alice as GroupSnapshot).state, [carol.device], certified)
    expect(await reach(bob as GroupSnapshot, result)).toContainEqual(exporterOf(result))
  })

  test('goes on from there through later commits', async () => {
    const [alice, bob] = await group(3)
    const carol = devices[2] as LocalDevice
    const removal = await crypto.remove((alice as GroupSnapshot).state, [carol.device], certified)
    const newcomer = await crypto.createKeyPackage(createDevice('grace', 'laptop', primitives))
    const next = await crypto.add(removal.state, [newcomer.keyPackage], certified)
    expect(await reach(bob as GroupSnapshot, removal, next)).toContainEqual(exporterOf(next))
  })
})

describe.each([2, 3, 4, 6])('after a removal from a group of %i', (count) => {
  test.each(people.slice(1, count))(
    '%s, removed, derives no key of the next epoch',
    async (name) => {
      const members = await group(count)
      const position = people.indexOf(name)
      const { device } = devices[position] as LocalDevice
      const result = await crypto.remove((members[0] as GroupSnapshot).state, [device], certified)
      const reached = await reach(members[position] as GroupSnapshot, result)
      expect(reached.length).toBeGreaterThan(0)
      expect(reached).not.toContainEqual(exporterOf(result))
    }
  )

  test('the commit brings a path', async () => {
    const members = await group(count)
    const { device } = devices[count - 1] as LocalDevice
    const result = await crypto.remove((members[0] as GroupSnapshot).state, [device], certified)
    expect(pathOf(result.commit)).toBeDefined()
  })

  test('the removed is told so and opens nothing that is sealed afterwards', async () => {
    const members = await group(count)
    const [sender, removed] = [devices[0] as LocalDevice, members[count - 1] as GroupSnapshot]
    const { device } = devices[count - 1] as LocalDevice
    const result = await crypto.remove((members[0] as GroupSnapshot).state, [device], certified)
    await expect(crypto.process(removed.state, result.commit, certified)).rejects.toMatchObject({
      code: 'removed'
    })
    const content: envelope.Content = {
      conversation: ZEROS,
      group: result.view.groupId,
      epoch: result.view.epoch,
      authenticator: result.view.authenticator,
      heads: [],
      depth: 1,
      sentAtMs: 0,
      body: { text: { text: 'without you' } }
    }
    const { archiveKey } = result.view
    const sealed = sealEnvelope(
      { archiveKey, sender, counter: 1, content, salt: new Uint8Array(16) },
      primitives
    )
    const read = readEnvelope(sealed.envelope, primitives)?.envelope as envelope.Envelope
    expect(openEnvelope({ envelope: read, archiveKey }, primitives)).toBeDefined()
    const old = removed.view.archiveKey
    expect(openEnvelope({ envelope: read, archiveKey: old }, primitives)).toBeUndefined()
    // Nor with the tag of its own epoch in place of the right one.
    const retagged = { ...read, epochTag: read.epochTag.slice().fill(0) }
    expect(openEnvelope({ envelope: retagged, archiveKey: old }, primitives)).toBeUndefined()
  })

  test('the removed derives no key of any epoch after that either', async () => {
    const members = await group(count)
    const { device } = devices[count - 1] as LocalDevice
    const removal = await crypto.remove((members[0] as GroupSnapshot).state, [device], certified)
    const newcomer = await crypto.createKeyPackage(createDevice('grace', 'laptop', primitives))
    const next = await crypto.add(removal.state, [newcomer.keyPackage], certified)
    const removed = members[count - 1] as GroupSnapshot
    const reached = await reach(removed, removal, next)
    expect(reached.length).toBeGreaterThan(0)
    expect(reached).not.toContainEqual(exporterOf(next))
  })
})

test('the library is pinned exactly at the version whose removals were examined', async () => {
  const read = async (path: string) =>
    JSON.parse(await readFile(new URL(path, import.meta.url), 'utf8'))
  const lock = await read('../../../package-lock.json')
  expect(lock.packages['node_modules/ts-mls'].version).toBe('1.6.4')
  expect((await read('../../package.json')).dependencies['ts-mls']).toBe('1.6.4')
  expect((await read('../../../node_modules/ts-mls/package.json')).version).toBe('1.6.4')
})
