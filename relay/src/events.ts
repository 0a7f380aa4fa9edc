// Every business event of the relay, as log line and metric. No account, device, address or envelope id above
// debug: events carry counts and sizes only.
import type { Log, Metrics } from '@kith/node/kernel'
import { KIB } from '@kith/protocols'

/** The size buckets that envelopes are padded to, and the largest envelope. */
const ENVELOPE_SIZE_BUCKETS = [KIB / 2, KIB, 4 * KIB, 16 * KIB, 64 * KIB]

export interface RelayEvents {
  started(accounts: number, entries: number): void
  stopped(): void
  accountCreated(): void
  accountChanged(): void
  appended(bytes: number): void
  pushed(entries: number): void
  acknowledged(): void
  /** Subscriptions running now. */
  subscriptions(running: number): void
  /** A subscriber holds more than this log has: the store is older than what was acknowledged. */
  cursorAhead(): void
  keyPackagesTaken(singleUse: number, lastResort: number): void
  /** The store cannot be trusted any more; the relay ends. */
  storeFailed(code: string): void
  /** A handler failed in a way that is this relay's own fault. */
  handlerFailed(protocol: string, reason: string): void
}

/** Writes each event to the log, the metrics or both. */
export function createEvents(log: Log, metrics: Metrics): RelayEvents {
  const accounts = metrics.counter(
    'kith_relay_account_operations_total',
    'Operations appended to account logs.'
  )
  const appends = metrics.counter('kith_relay_appends_total', 'Envelopes accepted.')
  const appendBytes = metrics.histogram(
    'kith_relay_append_bytes',
    'Sizes of accepted envelopes.',
    ENVELOPE_SIZE_BUCKETS
  )
  const pushed = metrics.counter('kith_relay_pushed_entries_total', 'Entries sent to subscribers.')
  const acknowledgements = metrics.counter(
    'kith_relay_acknowledgements_total',
    'Acknowledgements that moved a cursor.'
  )
  const running = metrics.gauge('kith_relay_subscriptions', 'Subscriptions running now.')
  const singleUsePackages = metrics.counter(
    'kith_relay_key_packages_taken_total',
    'Key packages handed out.',
    { kind: 'single-use' }
  )
  const lastResortPackages = metrics.counter(
    'kith_relay_key_packages_taken_total',
    'Key packages handed out.',
    { kind: 'last-resort' }
  )
  const failures = metrics.counter(
    'kith_relay_handler_failures_total',
    'Requests that failed inside the relay.'
  )
  return {
    started: (hosted, entries) => log.info('relay started', { accounts: hosted, entries }),
    stopped: () => log.info('relay stopped'),
    accountCreated() {
      accounts.add(1)
      log.info('account created')
    },
    accountChanged() {
      accounts.add(1)
      log.debug('account changed')
    },
    appended(bytes) {
      appends.add(1)
      appendBytes.observe(bytes)
    },
    pushed: (entries) => pushed.add(entries),
    acknowledged: () => acknowledgements.add(1),
    subscriptions: (count) => running.set(count),
    cursorAhead: () => log.warn('a device holds more than this store; was it restored?'),
    keyPackagesTaken(singleUse, lastResort) {
      singleUsePackages.add(singleUse)
      lastResortPackages.add(lastResort)
    },
    storeFailed: (code) => log.error('the store failed; the relay stops', { code }),
    handlerFailed(protocol, reason) {
      failures.add(1)
      log.error('a request failed inside the relay', { protocol, reason })
    }
  }
}
