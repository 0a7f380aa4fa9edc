// Randomness of a run: a stream of its own for every node and purpose, all from the seed, so that a draw more in
// one place changes nothing in another.
import type { Random } from '@kith/node/kernel'
import { nodePrimitives } from '@kith/node/kernel/host'
import { createDice, type Dice } from '../storm/dice.ts'

const encoder = new TextEncoder()

/** The stream for a purpose; asked twice it begins twice. */
export function diceFor(seed: number, purpose: string): Dice {
  const [a = 0, b = 0, c = 0, d = 0] = nodePrimitives.sha256(encoder.encode(`${seed} ${purpose}`))
  return createDice(((a << 24) | (b << 16) | (c << 8) | d) >>> 0)
}

/** Bytes and jitter from dice: for simulations only. */
export function randomOf(dice: Dice): Random {
  return {
    bytes(length) {
      const bytes = new Uint8Array(length)
      for (let at = 0; at < length; at += 1) bytes[at] = dice.roll(0, 255)
      return bytes
    },
    fraction: () => dice.roll(0, 0xffff_ffff) / 2 ** 32
  }
}
