// Messages as JSON: bytes stand as `{ "hex": "00ff" }`, everything else as itself.

export function jsonOf(value: unknown): unknown {
  if (value instanceof Uint8Array) {
    return { hex: Buffer.from(value).toString('hex') }
  }
  if (Array.isArray(value)) {
    return value.map(jsonOf)
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, jsonOf(part)]))
  }
  return value
}
