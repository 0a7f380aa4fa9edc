// The safety number: 60 digits that two people compare, equal on both sides only when each has the true account of
// the other. The method is Signal's numeric fingerprint, over account ids and recovery keys: both stay the same when
// devices change, and the account id binds the account's first operation.
import { type AccountId, type DeviceId, idBytes, publicKeyOf } from '@kith/protocols'
import { compare } from 'uint8arrays/compare'
import { concat } from 'uint8arrays/concat'
import { toString as toText } from 'uint8arrays/to-string'
import { UserError } from '../api.ts'

/** As Signal's: 12 bits more work for whoever looks for a second account of the same 30 digits (100 bits). */
const ITERATIONS = 5_200
/** Six groups of five digits for each account, each group from five bytes: 30 of a hash's 32 bytes. */
const GROUPS = 6
const GROUP_BYTES = 5
const GROUP_DIGITS = 5
const DIGITS = 2 * GROUPS * GROUP_DIGITS
/** 64 bits of a device list's hash: read by people next to a number that binds the account. */
const DEVICES_HASH_BYTES = 8

const encoder = new TextEncoder()
/** The trailing zero keeps a label from being the prefix of a longer one. */
const SAFETY_NUMBER_LABEL = encoder.encode('kith/safety-number/1\0')
const DEVICE_LIST_LABEL = encoder.encode('kith/device-list/1\0')

type Sha256 = (...parts: Uint8Array[]) => Uint8Array

/** What stands for one account in a safety number. */
export interface AccountRoot {
  readonly account: AccountId
  /** 32 bytes, Ed25519 public key */
  readonly recoveryKey: Uint8Array
}

/**
 * 60 digits, the lower account's half first. SHA-256 where Signal has SHA-512: 30 bytes of the result are shown, so a
 * longer one would add nothing. Each round takes the account in again, so that rounds cannot run together.
 */
export function safetyNumber(a: AccountRoot, b: AccountRoot, sha256: Sha256): string {
  const isOrdered = compare(idBytes(a.account), idBytes(b.account)) <= 0
  const [first, second] = isOrdered ? [a, b] : [b, a]
  return digitsOf(first, sha256) + digitsOf(second, sha256)
}

function digitsOf({ account, recoveryKey }: AccountRoot, sha256: Sha256): string {
  const root = concat([SAFETY_NUMBER_LABEL, idBytes(account), recoveryKey])
  let hash = sha256(root)
  for (let round = 1; round < ITERATIONS; round += 1) hash = sha256(hash, root)
  let digits = ''
  for (let group = 0; group < GROUPS; group += 1) {
    const bytes = hash.subarray(group * GROUP_BYTES, (group + 1) * GROUP_BYTES)
    const value = bytes.reduce((sum, byte) => sum * 256 + byte, 0)
    digits += String(value % 10 ** GROUP_DIGITS).padStart(GROUP_DIGITS, '0')
  }
  return digits
}

/** 16 hexadecimal digits over a list of devices in any order; it changes with every device. */
export function deviceListHash(
  account: AccountId,
  devices: readonly DeviceId[],
  sha256: Sha256
): string {
  const keys = devices.map(publicKeyOf).sort(compare)
  const hash = sha256(DEVICE_LIST_LABEL, idBytes(account), ...keys)
  return toText(hash.subarray(0, DEVICES_HASH_BYTES), 'base16')
}

/** Digits as somebody typed or pasted them, without what was put between. Throws UserError `bad-safety-number`. */
export function readSafetyNumber(typed: string): string {
  const digits = typed.replace(/[\s.-]/gu, '')
  if (digits.length === DIGITS && /^\d+$/.test(digits)) return digits
  throw new UserError('bad-safety-number', `A safety number has ${DIGITS} digits.`, {
    hint: 'kith contact verify <who> shows yours'
  })
}
