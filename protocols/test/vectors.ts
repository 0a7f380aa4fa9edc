// The committed vectors: JSON in which bytes stand as `{ "hex": "00ff" }`, read back to what they stand for.
import { readFileSync } from 'node:fs'
import { fromString } from 'uint8arrays/from-string'

function revive(_name: string, value: unknown): unknown {
  const isBytes =
    typeof value === 'object' && value !== null && 'hex' in value && typeof value.hex === 'string'
  return isBytes ? new Uint8Array(fromString(value.hex as string, 'hex')) : value
}

/** The content of vectors/<name>.json; the caller says what it holds. */
export function readVectors<T>(name: string): T {
  const text = readFileSync(new URL(`./vectors/${name}.json`, import.meta.url), 'utf8')
  return JSON.parse(text, revive) as T
}
