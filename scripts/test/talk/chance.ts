// Randomness and names of a talk, from one seed, so that what went wrong once goes wrong again.
import type { Random } from '@kith/node/kernel'
import type { Dice } from '../../storm/dice.ts'

/** Bytes and jitter from dice: for tests only. */
export function randomOf(dice: Dice): Random {
  return {
    bytes: (length) => Uint8Array.from({ length }, () => dice.roll(0, 255)),
    fraction: () => dice.roll(0, 0xffff_ffff) / 2 ** 32
  }
}

/** `first`, `first + 1`, … as many as KITH_SEEDS says, or `usual` of them. */
export function seedsFrom(first: number, usual: number): readonly number[] {
  const length = Number(process.env.KITH_SEEDS ?? usual)
  return Array.from({ length }, (_, index) => first + index)
}
