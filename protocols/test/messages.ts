// Arbitrary messages for fast-check, built from what the .proto says.
import fc from 'fast-check'
import type { Field, Schema } from './proto-schema.ts'

/** Any message of that name; small enough for every byte limit, repeated fields up to their limit or 6. */
export function arbitraryMessage(schema: Schema, name: string): fc.Arbitrary<object> {
  const fields = schema.messages.get(name)
  if (fields === undefined) {
    throw new Error(`no message ${name}`)
  }
  const plain = fields.filter((field) => field.oneof === undefined)
  const parts = plain.map((field) =>
    isAlwaysPresent(schema, field)
      ? arbitraryField(schema, field).map((value) => ({ [field.name]: value }))
      : fc.oneof(fc.constant({}), presentField(schema, field))
  )
  return fc
    .tuple(...parts, ...arbitraryOneofs(schema, fields))
    .map((list) => Object.assign({}, ...list))
}

function isAlwaysPresent(schema: Schema, field: Field): boolean {
  return field.repeated || !(schema.messages.has(field.type) || field.optional)
}

function presentField(schema: Schema, field: Field): fc.Arbitrary<object> {
  return arbitraryField(schema, field).map((value) => ({ [field.name]: value }))
}

function arbitraryOneofs(schema: Schema, fields: readonly Field[]): fc.Arbitrary<object>[] {
  const names = new Set(fields.flatMap((field) => field.oneof ?? []))
  return [...names].map((name) =>
    fc.oneof(
      fc.constant({}),
      ...fields.filter((field) => field.oneof === name).map((field) => presentField(schema, field))
    )
  )
}

function arbitraryField(schema: Schema, field: Field): fc.Arbitrary<unknown> {
  const element = arbitraryElement(schema, field.type)
  return field.repeated
    ? fc.array(element, { maxLength: Math.min(field.elementsMax ?? 0, 6) })
    : element
}

function arbitraryElement(schema: Schema, type: string): fc.Arbitrary<unknown> {
  const names = schema.enums.get(type)
  if (names !== undefined) {
    return fc.constantFrom(...names)
  }
  switch (type) {
    case 'bytes':
      return fc.oneof(
        fc.uint8Array({ maxLength: 40 }),
        fc.uint8Array({ minLength: 32, maxLength: 32 })
      )
    case 'string':
      return fc.string({ unit: 'binary', maxLength: 20 })
    case 'uint32':
      return fc.oneof(fc.nat({ max: 300 }), fc.integer({ min: 0, max: 0xffffffff }))
    case 'uint64':
      return fc.oneof(fc.nat({ max: 300 }), fc.maxSafeNat())
    case 'bool':
      return fc.boolean()
    default:
      return arbitraryMessage(schema, type)
  }
}
