// How a message becomes vectors.

/** One encoded message as a vector. */
export interface Case {
  readonly part: string
  readonly about: string
  readonly encoded: Uint8Array
  readonly value: unknown
}

type Encoder<T> = { encode(value: Partial<T>): Uint8Array; decode(bytes: Uint8Array): T }

/** The empty message and a full one; more examples for messages that have a choice inside. */
export function cases<T>(part: string, codec: Encoder<T>, ...examples: readonly T[]): Case[] {
  const full = examples.map((value, index) => ({
    part,
    about: examples.length === 1 ? 'every field' : `every field, choice ${index + 1}`,
    encoded: codec.encode(value as Partial<T>),
    value
  }))
  const empty = codec.encode({})
  return [...full, { part, about: 'no field', encoded: empty, value: codec.decode(empty) }]
}
