// The devices of an account: added and removed at its home whatever happens to the line, and settled after a link
// that was cut off.
import { beforeEach, describe, expect, test } from 'vitest'
import { deviceOf, Home, sealedStore } from './home.ts'

const signal = new AbortController().signal
const PHONE = { device: deviceOf(2), name: 'phone' }

let home: Home
beforeEach(() => {
  home = new Home()
})

const refusal = (code: string) => expect.objectContaining({ name: 'UserError', code })

describe('a device', () => {
  test('is added with its name, and listed in order', async () => {
    const { devices } = await home.device()
    await devices.add(PHONE, home.consentOf(2), signal)
    expect(home.devices).toEqual([deviceOf(1), deviceOf(2)])
    expect(devices.list()).toMatchObject([
      { device: deviceOf(1), isThis: true, addedAtMs: 1_000 },
      { device: deviceOf(2), isThis: false, name: 'phone' }
    ])
  })

  test.each(['before', 'after'] as const)(
    'is added once when the answer is lost %s it',
    async (at) => {
      home.failures.push(at)
      const { devices } = await home.device()
      await devices.add(PHONE, home.consentOf(2), signal)
      expect(home.devices).toEqual([deviceOf(1), deviceOf(2)])
    }
  )

  test('is added although another device has changed the log meanwhile', async () => {
    const { devices } = await home.device()
    home.add(3)
    await devices.add(PHONE, home.consentOf(2), signal)
    expect(home.devices).toEqual([deviceOf(1), deviceOf(3), deviceOf(2)])
  })

  test('is not added without its consent', async () => {
    const { devices } = await home.device()
    await expect(devices.add(PHONE, home.consentOf(3), signal)).rejects.toMatchObject({
      code: 'forbidden'
    })
    expect(home.devices).toEqual([deviceOf(1)])
    expect(await devices.settle(signal)).toMatchObject({ stays: false })
  })

  test('is found by name, id and end of id, and by nothing that fits two', async () => {
    home.add(2)
    home.add(3)
    const { devices } = await home.device()
    await devices.rename(deviceOf(2), 'phone')
    for (const who of ['phone', deviceOf(2), deviceOf(2).slice(-6)]) {
      expect(devices.find(who).device).toBe(deviceOf(2))
    }
    for (const who of ['tablet', '', deviceOf(2).slice(-2), '12D3']) {
      expect(() => devices.find(who)).toThrow(refusal('unknown-device'))
    }
  })

  test('keeps its name through a restart, shares it with no other, and takes no bad one', async () => {
    home.add(2)
    home.add(3)
    const store = await sealedStore()
    const { devices } = await home.device({ store })
    await devices.rename(deviceOf(2), 'phone')
    await expect(devices.rename(deviceOf(3), 'phone')).rejects.toThrow(refusal('name-taken'))
    await expect(devices.rename(deviceOf(3), '\u0007')).rejects.toThrow(refusal('bad-name'))
    const again = await home.device({ store })
    expect(again.devices.find('phone').device).toBe(deviceOf(2))
  })

  test('is removed by another one, not by itself, and not without the home', async () => {
    home.add(2)
    const { devices } = await home.device()
    await expect(devices.remove(deviceOf(1))).rejects.toThrow(refusal('own-device'))
    home.isGone = true
    await expect(devices.remove(deviceOf(2))).rejects.toThrow(refusal('unreachable-relay'))
    home.isGone = false
    await devices.remove(deviceOf(2))
    expect(home.devices).toEqual([deviceOf(1)])
    expect(devices.list()).toHaveLength(1)
  })

  test('that was removed says so', async () => {
    home.add(2)
    const { devices, directory } = await home.device()
    devices.requireOwn()
    home.remove(1, 2)
    await directory.refresh(home.account, [{ id: deviceOf(9), addresses: [] }])
    expect(devices.isOwn).toBe(false)
    expect(() => devices.requireOwn()).toThrow(refusal('device-removed'))
  })
})

describe('a link that was cut off after the log had changed', () => {
  test('is undone at the next start when the new device has nothing', async () => {
    const store = await sealedStore()
    const first = await home.device({ store })
    await first.devices.add(PHONE, home.consentOf(2), signal)
    const { devices } = await home.device({ store })
    expect(devices.list()).toHaveLength(2)
    expect(await devices.settle(signal)).toEqual({ device: PHONE, stays: false })
    expect(home.devices).toEqual([deviceOf(1)])
    expect(await devices.settle(signal)).toBeUndefined()
  })

  test('is finished when the new device has its bundle and only its last word was lost', async () => {
    const store = await sealedStore()
    const first = await home.device({ store })
    await first.devices.add(PHONE, home.consentOf(2), signal)
    home.published.add(deviceOf(2))
    const { devices } = await home.device({ store })
    expect(await devices.settle(signal)).toEqual({ device: PHONE, stays: true })
    expect(home.devices).toEqual([deviceOf(1), deviceOf(2)])
    expect(await devices.settle(signal)).toBeUndefined()
  })

  test('waits while the home is gone', async () => {
    const { devices } = await home.device()
    await devices.add(PHONE, home.consentOf(2), signal)
    home.isGone = true
    await expect(devices.settle(signal)).rejects.toMatchObject({ code: 'unreachable' })
    home.isGone = false
    expect(await devices.settle(signal)).toMatchObject({ stays: false })
  })

  test('is nothing to settle once the new device has answered', async () => {
    const { devices } = await home.device()
    await devices.add(PHONE, home.consentOf(2), signal)
    await devices.finish()
    expect(await devices.settle(signal)).toBeUndefined()
    expect(home.devices).toHaveLength(2)
  })
})
