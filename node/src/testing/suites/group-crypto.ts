// What every implementation of GroupCrypto has to do, as cases that a test runner goes through: `run` rejects
// when the implementation falls short.
import { equals } from 'uint8arrays/equals'
import {
  type CertificateCheck,
  type CommitResult,
  type GroupCrypto,
  GroupCryptoError,
  type GroupSnapshot,
  type GroupView,
  type LocalDevice
} from '../../groups/group-crypto.ts'
import type { Primitives } from '../../kernel/primitives.ts'
import { certifyOnly, createDevice } from '../people.ts'

export interface GroupCryptoUnderTest {
  readonly crypto: GroupCrypto
  readonly primitives: Primitives
}

export interface GroupCryptoCase {
  /** A sentence of behaviour. */
  readonly name: string
  run(subject: GroupCryptoUnderTest): Promise<void>
}

const GROUP_ID = new Uint8Array(32).fill(7)
const ALL: CertificateCheck = () => true
const NONE: CertificateCheck = () => false

function check(condition: boolean, what: string): void {
  if (!condition) throw new Error(`expected ${what}`)
}

async function refuses(act: Promise<unknown>, code: GroupCryptoError['code']): Promise<void> {
  const outcome = await act.then(
    () => 'acceptance',
    (error: unknown) => (error instanceof GroupCryptoError ? error.code : String(error))
  )
  check(outcome === code, `refusal as ${code}, not ${outcome}`)
}

function sameView(a: GroupView, b: GroupView): void {
  check(equals(a.groupId, b.groupId), 'one group id')
  check(a.epoch === b.epoch, `one epoch, not ${a.epoch} and ${b.epoch}`)
  check(a.creator === b.creator, 'one creator')
  check(JSON.stringify(a.members) === JSON.stringify(b.members), 'one list of members')
  check(equals(a.authenticator, b.authenticator), 'one epoch authenticator')
  check(equals(a.archiveKey, b.archiveKey), 'one archive key')
}

/** Members of a group under test, by device id. */
class Party {
  readonly #crypto: GroupCrypto
  readonly states = new Map<string, GroupSnapshot>()

  constructor(crypto: GroupCrypto) {
    this.#crypto = crypto
  }

  of(device: LocalDevice): GroupSnapshot {
    const snapshot = this.states.get(device.device)
    if (snapshot === undefined) throw new Error('expected a member')
    return snapshot
  }

  async create(creator: LocalDevice): Promise<void> {
    this.states.set(creator.device, await this.#crypto.create(creator, GROUP_ID))
  }

  /** Everybody but the committer applies the commit; the newcomers join. All agree afterwards. */
  async settle(committer: LocalDevice, result: CommitResult): Promise<void> {
    for (const [device, { state }] of this.states) {
      if (device === committer.device) this.states.set(device, result)
      else this.states.set(device, await this.#crypto.process(state, result.commit, ALL))
    }
    for (const { view } of this.states.values()) sameView(view, result.view)
  }

  async add(committer: LocalDevice, ...newcomers: readonly LocalDevice[]): Promise<void> {
    const pairs = []
    for (const newcomer of newcomers) pairs.push(await this.#crypto.createKeyPackage(newcomer))
    const packages = pairs.map(({ keyPackage }) => keyPackage)
    const result = await this.#crypto.add(this.of(committer).state, packages, ALL)
    await this.settle(committer, result)
    for (const [index, newcomer] of newcomers.entries()) {
      const secret = pairs[index]?.secret as Uint8Array
      const joined = await this.#crypto.join(result.welcome as Uint8Array, secret, ALL)
      sameView(joined.view, result.view)
      this.states.set(newcomer.device, joined)
    }
  }
}

interface Cast {
  readonly crypto: GroupCrypto
  readonly party: Party
  readonly alice: LocalDevice
  readonly alicePhone: LocalDevice
  readonly bob: LocalDevice
  readonly bobPhone: LocalDevice
  readonly carol: LocalDevice
}

/** A group that alice created, with bob in it, at epoch 1; the others are outside. */
async function withBob({ crypto, primitives }: GroupCryptoUnderTest): Promise<Cast> {
  const party = new Party(crypto)
  const cast = {
    crypto,
    party,
    alice: createDevice('alice', 'laptop', primitives),
    alicePhone: createDevice('alice', 'phone', primitives),
    bob: createDevice('bob', 'laptop', primitives),
    bobPhone: createDevice('bob', 'phone', primitives),
    carol: createDevice('carol', 'laptop', primitives)
  }
  await party.create(cast.alice)
  await party.add(cast.alice, cast.bob)
  return cast
}

/** Some prefixes, some copies with one changed bit, from the whole length, and one with a byte behind it. */
function* mutations(bytes: Uint8Array): Generator<Uint8Array> {
  const steps = 60
  for (let step = 0; step < steps; step += 1) {
    const position = Math.floor((bytes.byteLength * step) / steps)
    yield bytes.slice(0, position)
    const changed = bytes.slice()
    changed[position] = (changed[position] as number) ^ (1 << (step % 8))
    yield changed
  }
  const longer = new Uint8Array(bytes.byteLength + 1)
  longer.set(bytes)
  yield longer
}

/** Every one of the inputs has to end in a GroupCryptoError. */
async function survives(
  inputs: Iterable<Uint8Array>,
  act: (input: Uint8Array) => Promise<unknown>
): Promise<void> {
  for (const input of inputs) {
    await act(input).then(
      () => check(false, 'refusal of altered bytes'),
      (error: unknown) => {
        if (!(error instanceof GroupCryptoError)) throw error
      }
    )
  }
}

export const groupCryptoCases: readonly GroupCryptoCase[] = [
  {
    name: 'a new group has its creator alone, at epoch 0',
    async run({ crypto, primitives }) {
      const device = createDevice('alice', 'laptop', primitives)
      const { view } = await crypto.create(device, GROUP_ID)
      check(view.epoch === 0 && equals(view.groupId, GROUP_ID), 'epoch 0 of the group')
      check(view.creator === device.account, 'the creator')
      check(view.members.length === 1, 'one member')
      check(view.members[0]?.device === device.device, 'the creating device')
      check(view.archiveKey.byteLength === 32, 'an archive key of 32 bytes')
      check(view.authenticator.byteLength === 8, 'an authenticator of 8 bytes')
    }
  },
  {
    name: 'two groups of one device share no key, even under one id',
    async run({ crypto, primitives }) {
      const device = createDevice('alice', 'laptop', primitives)
      const first = await crypto.create(device, GROUP_ID)
      const second = await crypto.create(device, GROUP_ID)
      check(!equals(first.view.archiveKey, second.view.archiveKey), 'two archive keys')
    }
  },
  {
    name: 'those who are added see the same group as those who add them',
    async run(subject) {
      const { party, alice, bob, carol, bobPhone } = await withBob(subject)
      await party.add(alice, carol, bobPhone)
      check(party.of(carol).view.epoch === 2, 'epoch 2')
      check(party.of(bob).view.members.length === 4, 'four members')
    }
  },
  {
    name: 'every epoch has keys of its own',
    async run(subject) {
      const { party, alice, carol, bobPhone } = await withBob(subject)
      const keys = [party.of(alice).view.archiveKey]
      await party.add(alice, carol)
      keys.push(party.of(alice).view.archiveKey)
      await party.add(alice, bobPhone)
      keys.push(party.of(alice).view.archiveKey)
      check(new Set(keys.map(String)).size === keys.length, 'three archive keys')
    }
  },
  {
    name: 'a welcome names the key packages it is for',
    async run({ crypto, primitives }) {
      const alice = createDevice('alice', 'laptop', primitives)
      const { state } = await crypto.create(alice, GROUP_ID)
      const bob = await crypto.createKeyPackage(createDevice('bob', 'laptop', primitives))
      const carol = await crypto.createKeyPackage(createDevice('carol', 'laptop', primitives))
      const result = await crypto.add(state, [bob.keyPackage, carol.keyPackage], ALL)
      const references = crypto.welcomeReferences(result.welcome as Uint8Array).map(String)
      check(references.length === 2, 'two references')
      check(references.includes(String(bob.reference)), 'the reference of bob')
      check(references.includes(String(carol.reference)), 'the reference of carol')
      check(bob.reference.byteLength === 32, 'references of 32 bytes')
    }
  },
  {
    name: 'a key package speaks for the device that made it',
    async run({ crypto, primitives }) {
      const bob = createDevice('bob', 'laptop', primitives)
      for (const lastResort of [false, true]) {
        const { keyPackage } = await crypto.createKeyPackage(bob, { lastResort })
        const member = await crypto.inspectKeyPackage(keyPackage, certifyOnly(bob))
        check(member.account === bob.account && member.device === bob.device, 'bob')
      }
    }
  },
  {
    name: 'a last-resort key package brings its device into several groups',
    async run({ crypto, primitives }) {
      const bob = createDevice('bob', 'laptop', primitives)
      const pair = await crypto.createKeyPackage(bob, { lastResort: true })
      for (const person of ['alice', 'carol']) {
        const group = await crypto.create(createDevice(person, 'laptop', primitives), GROUP_ID)
        const result = await crypto.add(group.state, [pair.keyPackage], ALL)
        const joined = await crypto.join(result.welcome as Uint8Array, pair.secret, ALL)
        sameView(joined.view, result.view)
      }
    }
  },
  {
    name: 'a welcome opens only with the key package it is for',
    async run({ crypto, primitives }) {
      const { state } = await crypto.create(createDevice('alice', 'laptop', primitives), GROUP_ID)
      const bob = await crypto.createKeyPackage(createDevice('bob', 'laptop', primitives))
      const carol = await crypto.createKeyPackage(createDevice('carol', 'laptop', primitives))
      const { welcome } = await crypto.add(state, [bob.keyPackage], ALL)
      await refuses(crypto.join(welcome as Uint8Array, carol.secret, ALL), 'malformed')
    }
  },
  {
    name: 'an uncertified key package is refused, looked at or added',
    async run(subject) {
      const { crypto, party, alice, bob, carol } = await withBob(subject)
      const { keyPackage } = await crypto.createKeyPackage(carol)
      const known = certifyOnly(alice, bob)
      await refuses(crypto.inspectKeyPackage(keyPackage, known), 'uncertified')
      await refuses(crypto.add(party.of(alice).state, [keyPackage], known), 'uncertified')
    }
  },
  {
    name: 'a commit that adds an uncertified device is refused',
    async run(subject) {
      const { crypto, party, alice, bob, carol } = await withBob(subject)
      const { keyPackage } = await crypto.createKeyPackage(carol)
      const { commit } = await crypto.add(party.of(alice).state, [keyPackage], ALL)
      const known = certifyOnly(alice, bob)
      await refuses(crypto.process(party.of(bob).state, commit, known), 'uncertified')
    }
  },
  {
    name: 'a commit by a device that is not certified any more is refused',
    async run(subject) {
      const { crypto, party, alice, bob, carol } = await withBob(subject)
      const { keyPackage } = await crypto.createKeyPackage(carol)
      const { commit } = await crypto.add(party.of(alice).state, [keyPackage], ALL)
      const known = certifyOnly(bob, carol)
      await refuses(crypto.process(party.of(bob).state, commit, known), 'uncertified')
    }
  },
  {
    name: 'a welcome into a group with any uncertified member is refused',
    async run(subject) {
      const { crypto, party, alice, bob, carol } = await withBob(subject)
      const pair = await crypto.createKeyPackage(carol)
      const { welcome } = await crypto.add(party.of(alice).state, [pair.keyPackage], ALL)
      for (const missing of [alice, bob, carol]) {
        const known = certifyOnly(...[alice, bob, carol].filter((member) => member !== missing))
        await refuses(crypto.join(welcome as Uint8Array, pair.secret, known), 'uncertified')
      }
      await refuses(crypto.join(welcome as Uint8Array, pair.secret, NONE), 'uncertified')
      await crypto.join(welcome as Uint8Array, pair.secret, certifyOnly(alice, bob, carol))
    }
  },
  {
    name: 'the creator of a group adds and removes any account',
    async run(subject) {
      const { crypto, party, alice, bob, carol } = await withBob(subject)
      await party.add(alice, carol)
      const result = await crypto.remove(party.of(alice).state, [carol.device], ALL)
      const gone = party.of(carol)
      party.states.delete(carol.device)
      await party.settle(alice, result)
      check(party.of(bob).view.members.length === 2, 'two members')
      await refuses(crypto.process(gone.state, result.commit, ALL), 'removed')
    }
  },
  {
    name: 'another device of the account that created the group may do as its creator',
    async run(subject) {
      const { party, alice, alicePhone, carol } = await withBob(subject)
      await party.add(alice, alicePhone)
      await party.add(alicePhone, carol)
    }
  },
  {
    name: 'a member adds and removes a device of its own account',
    async run(subject) {
      const { crypto, party, bob, bobPhone } = await withBob(subject)
      await party.add(bob, bobPhone)
      const result = await crypto.remove(party.of(bobPhone).state, [bob.device], ALL)
      party.states.delete(bob.device)
      await party.settle(bobPhone, result)
    }
  },
  {
    name: 'a member who did not create the group adds nobody of another account',
    async run(subject) {
      const { crypto, party, bob, carol } = await withBob(subject)
      const { keyPackage } = await crypto.createKeyPackage(carol)
      await refuses(crypto.add(party.of(bob).state, [keyPackage], ALL), 'policy')
    }
  },
  {
    name: 'a member who did not create the group removes nobody of another account',
    async run(subject) {
      const { crypto, party, alice, bob } = await withBob(subject)
      await refuses(crypto.remove(party.of(bob).state, [alice.device], ALL), 'policy')
    }
  },
  {
    name: 'any member removes a device that its account no longer certifies',
    async run(subject) {
      const { crypto, party, alice, alicePhone, bob, carol } = await withBob(subject)
      await party.add(alice, alicePhone, carol)
      const known = certifyOnly(alice, bob, carol)
      const removal = await crypto.remove(party.of(bob).state, [alicePhone.device], known)
      await refuses(crypto.process(party.of(carol).state, removal.commit, ALL), 'policy')
      const carols = await crypto.process(party.of(carol).state, removal.commit, known)
      sameView(carols.view, removal.view)
    }
  },
  {
    name: 'a device removes neither itself nor somebody who is not there, nor nobody',
    async run(subject) {
      const { crypto, party, alice, carol } = await withBob(subject)
      const { state } = party.of(alice)
      await refuses(crypto.remove(state, [alice.device], ALL), 'policy')
      await refuses(crypto.remove(state, [carol.device], ALL), 'policy')
      await refuses(crypto.remove(state, [], ALL), 'policy')
      await refuses(crypto.add(state, [], ALL), 'policy')
    }
  },
  {
    name: 'a device that is a member is not added again',
    async run(subject) {
      const { crypto, party, alice, bob, carol } = await withBob(subject)
      const again = await crypto.createKeyPackage(bob)
      await refuses(crypto.add(party.of(alice).state, [again.keyPackage], ALL), 'policy')
      const { keyPackage } = await crypto.createKeyPackage(carol)
      const twice = crypto.add(party.of(alice).state, [keyPackage, keyPackage], ALL)
      await refuses(twice, 'policy')
    }
  },
  {
    name: 'a removed device comes back with a new key package',
    async run(subject) {
      const { crypto, party, alice, bob, carol } = await withBob(subject)
      await party.add(alice, carol)
      const result = await crypto.remove(party.of(alice).state, [bob.device], ALL)
      party.states.delete(bob.device)
      await party.settle(alice, result)
      await party.add(alice, bob)
    }
  },
  {
    name: 'of two commits for one epoch the second is refused, and the first can be undone',
    async run(subject) {
      const { crypto, party, alice, bob, bobPhone, carol } = await withBob(subject)
      const before = party.of(bob)
      const carols = await crypto.createKeyPackage(carol)
      const phones = await crypto.createKeyPackage(bobPhone)
      const mine = await crypto.add(before.state, [phones.keyPackage], ALL)
      const theirs = await crypto.add(party.of(alice).state, [carols.keyPackage], ALL)
      await refuses(crypto.process(mine.state, theirs.commit, ALL), 'epoch')
      const after = await crypto.process(before.state, theirs.commit, ALL)
      sameView(after.view, theirs.view)
      await refuses(crypto.process(after.state, theirs.commit, ALL), 'epoch')
    }
  },
  {
    name: 'a commit for a later epoch waits, refused as of another epoch',
    async run(subject) {
      const { crypto, party, alice, bob, carol, alicePhone } = await withBob(subject)
      const { keyPackage } = await crypto.createKeyPackage(carol)
      const first = await crypto.add(party.of(alice).state, [keyPackage], ALL)
      const phone = await crypto.createKeyPackage(alicePhone)
      const second = await crypto.add(first.state, [phone.keyPackage], ALL)
      await refuses(crypto.process(party.of(bob).state, second.commit, ALL), 'epoch')
    }
  },
  {
    name: 'a device does not apply its own commit, nor one for another group',
    async run(subject) {
      const { crypto, party, alice, bob, carol } = await withBob(subject)
      const { keyPackage } = await crypto.createKeyPackage(carol)
      const { commit } = await crypto.add(party.of(alice).state, [keyPackage], ALL)
      await refuses(crypto.process(party.of(alice).state, commit, ALL), 'policy')
      const other = await crypto.create(bob, new Uint8Array(32).fill(9))
      await refuses(crypto.process(other.state, commit, ALL), 'policy')
    }
  },
  {
    name: 'no call alters the state that it is given',
    async run(subject) {
      const { crypto, party, alice, bob, carol } = await withBob(subject)
      const before = party.of(alice).state.slice()
      const bobBefore = party.of(bob).state.slice()
      const pair = await crypto.createKeyPackage(carol)
      const secret = pair.secret.slice()
      const result = await crypto.add(party.of(alice).state, [pair.keyPackage], ALL)
      await crypto.remove(party.of(alice).state, [bob.device], ALL)
      await crypto.process(party.of(bob).state, result.commit, ALL)
      await crypto.join(result.welcome as Uint8Array, pair.secret, ALL)
      check(equals(party.of(alice).state, before), 'the state of the committer as it was')
      check(equals(party.of(bob).state, bobBefore), 'the state of the receiver as it was')
      check(equals(pair.secret, secret), 'the secret of the key package as it was')
    }
  },
  {
    name: 'altered or cut commits, welcomes, key packages and states are refused as such',
    async run(subject) {
      const { crypto, party, alice, bob, carol } = await withBob(subject)
      const pair = await crypto.createKeyPackage(carol)
      const { state } = party.of(bob)
      const result = await crypto.add(party.of(alice).state, [pair.keyPackage], ALL)
      const welcome = result.welcome as Uint8Array
      await survives(mutations(result.commit), (bytes) => crypto.process(state, bytes, ALL))
      await survives(mutations(welcome), (bytes) => crypto.join(bytes, pair.secret, ALL))
      await survives(mutations(pair.keyPackage), (bytes) => crypto.inspectKeyPackage(bytes, ALL))
      const oversized = new Uint8Array(2 ** 20)
      await refuses(crypto.process(state, oversized, ALL), 'malformed')
      await refuses(crypto.join(oversized, pair.secret, ALL), 'malformed')
      await refuses(crypto.inspectKeyPackage(oversized, ALL), 'malformed')
      await refuses(crypto.add(state.slice(0, 40), [pair.keyPackage], ALL), 'malformed')
      await refuses(crypto.join(welcome, pair.secret.slice(0, 40), ALL), 'malformed')
    }
  },
  {
    name: 'what is one kind of message is refused as every other kind',
    async run(subject) {
      const { crypto, party, alice, bob, carol } = await withBob(subject)
      const pair = await crypto.createKeyPackage(carol)
      const { state } = party.of(bob)
      const result = await crypto.add(party.of(alice).state, [pair.keyPackage], ALL)
      const welcome = result.welcome as Uint8Array
      await refuses(crypto.process(state, welcome, ALL), 'malformed')
      await refuses(crypto.process(state, pair.keyPackage, ALL), 'malformed')
      await refuses(crypto.join(result.commit, pair.secret, ALL), 'malformed')
      await refuses(crypto.inspectKeyPackage(welcome, ALL), 'malformed')
      await refuses(crypto.join(welcome, result.state, ALL), 'malformed')
    }
  }
]
