// The shapes in which a text can lie in a file: a scan that knows only UTF-8 proves little.

/** Byte patterns of `text`, by the name of the form. */
export function formsOf(text: string): ReadonlyMap<string, Buffer> {
  const bytes = Buffer.from(text, 'utf8')
  const utf16 = Buffer.from(text, 'utf16le')
  const forms = new Map<string, Buffer>([
    ['utf-8', bytes],
    ['utf-16-le', utf16],
    ['utf-16-be', Buffer.from(utf16).swap16()],
    ['hex', Buffer.from(bytes.toString('hex'))],
    ['HEX', Buffer.from(bytes.toString('hex').toUpperCase())],
    ['reversed', Buffer.from(bytes).reverse()]
  ])
  // Base64 has three alignments; the characters at both ends depend on the neighbours and are left out.
  for (const shift of [0, 1, 2]) {
    for (const encoding of ['base64', 'base64url'] as const) {
      const shifted = Buffer.concat([Buffer.alloc(shift), bytes, Buffer.alloc(3)])
      const from = Math.ceil((shift * 4) / 3)
      const to = Math.floor(((shift + bytes.length) * 4) / 3)
      forms.set(`${encoding}+${shift}`, Buffer.from(shifted.toString(encoding).slice(from, to)))
    }
  }
  return forms
}

/** Names of the forms of `text` that lie anywhere in `bytes`. */
export function formsIn(bytes: Uint8Array, text: string): string[] {
  const haystack = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return [...formsOf(text)].filter(([, form]) => haystack.includes(form)).map(([name]) => name)
}
