// The exit codes of `kith`, in one table: scripts depend on them, the help prints them, ../README.md repeats them.

export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  network: 3,
  refused: 4,
  notFound: 5,
  untrusted: 6,
  internal: 70,
  interrupted: 130
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

export const EXIT_CODES: readonly { readonly code: ExitCode; readonly meaning: string }[] = [
  { code: EXIT.ok, meaning: 'done; for a message: durably stored, sent now or later' },
  {
    code: EXIT.failure,
    meaning: 'failed: store in use or damaged, account exists, connection lost'
  },
  { code: EXIT.usage, meaning: 'wrong usage: unknown command or option, malformed link, bad text' },
  {
    code: EXIT.network,
    meaning: 'relay unreachable, or the state asked for with --wait not reached'
  },
  {
    code: EXIT.refused,
    meaning: 'refused: wrong invite, wrong or missing passphrase, blocked, outbox full'
  },
  { code: EXIT.notFound, meaning: 'not found: no account here, no such contact' },
  {
    code: EXIT.untrusted,
    meaning: 'untrusted: safety numbers or emoji differ, evidence that proves nothing'
  },
  { code: EXIT.internal, meaning: 'a fault of kith itself; KITH_DEBUG=1 shows where' },
  { code: EXIT.interrupted, meaning: 'interrupted (Ctrl-C) before it was done' }
]

/** What each code of a UserError or ProtocolError means to the caller's shell; absent ones are failures. */
const CODES: Readonly<
  Record<'usage' | 'network' | 'refused' | 'notFound' | 'untrusted' | 'internal', readonly string[]>
> = {
  usage: [
    'usage',
    'malformed',
    'malformed-link',
    'malformed-code',
    'own-device',
    'own-link',
    'own-account',
    'bad-safety-number',
    'name-taken',
    'not-blocked',
    'bad-name',
    'bad-text',
    'empty-message',
    'message-too-long',
    'too-large',
    'bad-consumer',
    'bad-config',
    'not-reached',
    'passphrase-empty',
    'recovery-words'
  ],
  network: ['unreachable-relay', 'unreachable', 'timeout', 'unavailable', 'rate-limited'],
  refused: [
    'wrong-invite',
    'invite',
    'wrong-passphrase',
    'passphrase-needed',
    'relay-refused',
    'link-used',
    'forbidden',
    'quota',
    'outbox-full',
    'blocked',
    'not-accepted',
    'bad-token',
    'too-many-consumers',
    'too-many-blocked'
  ],
  notFound: [
    'unknown-device',
    'link-unknown',
    'no-account',
    'unknown-contact',
    'unknown-message',
    'ambiguous-contact',
    'no-request',
    'unknown-event',
    'unknown-consumer',
    'events-gone',
    'not-found'
  ],
  untrusted: [
    'safety-mismatch',
    'not-proven',
    'link-refused',
    'link-refused-there',
    'link-damaged'
  ],
  internal: ['internal']
}

const EXIT_BY_ERROR: ReadonlyMap<string, ExitCode> = new Map([
  ...Object.entries(CODES).flatMap(([kind, codes]) =>
    codes.map((code) => [code, EXIT[kind as keyof typeof CODES]] as const)
  ),
  ['interrupted', EXIT.interrupted] as const
])

export function exitCodeOf(errorCode: string): ExitCode {
  return EXIT_BY_ERROR.get(errorCode) ?? EXIT.failure
}
