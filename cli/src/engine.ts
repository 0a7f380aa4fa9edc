// What the commands need of the messenger on this machine. `@kith/node/host` is this engine; tests bring another one.
import type { AccountView, EmojiView, EvidenceView, MessengerApi } from '@kith/node'

type LogFields = Readonly<Record<string, string | number | boolean | undefined>>
type Write = (event: string, fields?: LogFields) => void

/** The kernel's Log port, which user interfaces cannot import. */
export interface Log {
  readonly debug: Write
  readonly info: Write
  readonly warn: Write
  readonly error: Write
}

export interface Messenger extends MessengerApi {
  stop(): Promise<void>
}

export interface Engine {
  createAccount(options: {
    home: string
    /** Join link of a relay. */
    relay: string
    name: string
    passphrase?: string
    log: Log
    signal?: AbortSignal
  }): Promise<{ account: AccountView; recoveryWords: string }>
  /** Makes the home's folder a further device of the account behind a code. */
  linkDevice(options: {
    home: string
    code: string
    /** What the device calls itself; the machine's name when absent. */
    name?: string
    passphrase?: string
    log: Log
    signal?: AbortSignal
    /** Shows the emoji; whether they are the same on the other device. */
    compare: (seen: {
      emoji: readonly EmojiView[]
      account: string
      name: string
    }) => Promise<boolean>
  }): Promise<{ account: AccountView; deviceName: string }>
  /** Whether the statements convict the relay; needs no account. */
  checkEvidence(evidence: Pick<EvidenceView, 'relay' | 'kind' | 'statements'>): boolean
  openMessenger(options: { home: string; passphrase?: string; log: Log }): Promise<Messenger>
}

/** Where a passphrase comes from: --passphrase-file, KITH_PASSPHRASE, or a prompt without echo. */
export interface SecretSource {
  /** The passphrase given without asking; undefined when none was given. */
  given(): Promise<string | undefined>
  /** Asks on the terminal; undefined when there is none. Throws `interrupted` at Ctrl-C. */
  ask(prompt: string): Promise<string | undefined>
}
