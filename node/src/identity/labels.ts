// Context labels of what stays on this device or in its owner's hands; what travels is labelled in
// protocols/src/labels.ts. The trailing zero keeps a label from being the prefix of a longer one.
const encoder = new TextEncoder()
const label = (text: string): Uint8Array => encoder.encode(`${text}\0`)

/** Ed25519 seed of the recovery key, derived from the entropy of the recovery words. */
export const RECOVERY_KEY_LABEL = label('kith/recovery-key/1')
/** What a wrapped key file authenticates beside its secrets. */
export const KEY_FILE_LABEL = label('kith/key-file/1')
