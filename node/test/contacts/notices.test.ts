import { accountIdOf, deviceIdOf } from '@kith/protocols'
import { beforeEach, describe, expect, it } from 'vitest'
import { Notices, noticeText } from '../../src/contacts/notices.ts'
import { EventLog } from '../../src/events/index.ts'
import { MemoryDisk, openMemoryStore } from '../../src/kernel/store/memory.ts'
import type { Store } from '../../src/kernel/store/store.ts'
import { FakeClock } from '../../src/testing/index.ts'

const BOB = accountIdOf(new Uint8Array(32).fill(1))
const SELF = accountIdOf(new Uint8Array(32).fill(2))
const NOTICES_MAX = 1_000
const key = (value: number) => new Uint8Array(32).fill(value)
const member = (value: number) => ({ account: BOB, device: deviceIdOf(key(value)) })

let store: Store
let clock: FakeClock
let events: EventLog
let notices: Notices

beforeEach(async () => {
  store = openMemoryStore(new MemoryDisk())
  clock = new FakeClock()
  events = await EventLog.open({ store, clock })
  notices = new Notices({ store, clock, events })
})

const kinds = async () => (await notices.newest(1, 10)).map(({ kind }) => kind)

describe('notices of devices', () => {
  it('begin with the first change, are told once, and are there after a restart', async () => {
    expect(await notices.followMembers(1, [member(1)])).toEqual([])
    const [added] = await notices.followMembers(1, [member(1), member(2)])
    expect(added).toMatchObject({ kind: 'device-added', ...member(2), atMs: clock.now() })
    expect(await notices.followMembers(1, [member(2), member(1)])).toEqual([])
    notices = new Notices({ store, clock, events })
    expect(await notices.followMembers(1, [member(1), member(2)])).toEqual([])
    await notices.followMembers(1, [member(2)])
    expect(await kinds()).toEqual(['device-added', 'device-removed'])
    expect(await notices.newest(2, 10)).toEqual([])
  })

  it('tell of a change that came before anybody had looked', async () => {
    const told = await notices.followMembers(1, [member(1), member(2)], [member(1)])
    expect(told).toMatchObject([{ kind: 'device-added', ...member(2) }])
  })

  it('tell of what changed while this device was away', async () => {
    await notices.followMembers(1, [member(1)])
    const told = await notices.followMembers(1, [member(3)])
    expect(told.map(({ kind }) => kind)).toEqual(['device-added', 'device-removed'])
  })

  it('asked for at once by several tell once', async () => {
    await notices.followMembers(1, [member(1)])
    const all = await Promise.all(
      [1, 2, 3].map(() => notices.followMembers(1, [member(1), member(2)]))
    )
    expect(all.flat()).toHaveLength(1)
  })

  it('of one conversation are at most a thousand, the newest', async () => {
    for (let round = 0; round <= 600; round += 1) {
      await notices.followMembers(1, [member(round % 2)])
      await clock.advance(1)
    }
    const all = await notices.newest(1, 10_000)
    expect(all).toHaveLength(NOTICES_MAX)
    expect(all.at(-1)?.atMs).toBe(clock.now() - 1)
    expect((await notices.newest(1, 2)).map(({ kind }) => kind)).toEqual([
      'device-added',
      'device-removed'
    ])
  })
})

describe('a notice of a recovery key', () => {
  it('comes with the first other key, not with the first key', async () => {
    const first = { account: BOB, before: undefined, recoveryKey: key(1) }
    expect(await notices.followRecoveryKey(1, first)).toEqual([])
    expect(await notices.followRecoveryKey(1, { ...first, before: key(1) })).toEqual([])
    const other = { ...first, before: key(1), recoveryKey: key(2) }
    expect(await notices.followRecoveryKey(1, other)).toMatchObject([{ kind: 'recovery-key' }])
    expect(await notices.followRecoveryKey(1, other)).toEqual([])
    expect(await kinds()).toEqual(['recovery-key'])
  })
})

describe('the text of a notice', () => {
  const added = { kind: 'device-added', atMs: 0, ...member(1) } as const
  const names = { name: 'bob', self: SELF, isVerified: false }

  it('names contact and device', () => {
    const end = added.device.slice(-6)
    expect(noticeText(added, names)).toBe(`bob added a device (12D3…${end})`)
    expect(noticeText({ ...added, kind: 'device-removed' }, names)).toContain('bob removed')
    expect(noticeText({ ...added, account: SELF }, { ...names, isVerified: true })).toBe(
      `you added a device (12D3…${end})`
    )
  })

  it('says for a verified contact what still holds and what to check', () => {
    const text = noticeText(added, { ...names, isVerified: true })
    expect(text).toContain('the safety number still holds, ask bob whether the device is theirs')
    const key = noticeText({ kind: 'recovery-key', atMs: 0, account: BOB }, names)
    expect(key).toBe(
      'bob replaced the recovery key: the safety number has changed, compare it again'
    )
  })
})
