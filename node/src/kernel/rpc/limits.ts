// Limits of the exchanges on one stream, and of the streams themselves. Both sides of a stream know them.
import { frame as frames, MIB, MINUTE_MS, SECOND_MS } from '@kith/protocols'

/** What a frame has room for beside ids and the method's name. */
export const BODY_BYTES_MAX = frames.FRAME_BYTES_MAX - frames.FRAME_OVERHEAD_BYTES
/** Requests running on one stream; twice what keeps a relay's group commits full (256). More wait. */
export const EXCHANGES_MAX = 512
/**
 * Bytes of requests held and of answers still allowed, of the exchanges running on one stream. Beyond it the
 * server reads no further until some are done. At least one exchange always runs.
 */
export const EXCHANGE_BYTES_MAX = 8 * MIB
/** Subscriptions running on one stream; a client needs one per box and home. */
export const SUBSCRIPTIONS_MAX = 64
/** Callers waiting for room on one stream of ours; more is a caller that does not wait for its answers. */
export const WAITERS_MAX = 4_096
/** Items a publisher may have handed over without waiting for them to be sent. */
export const PUSHES_WAITING_MAX = 256
/** Acknowledgements kept for a publisher that does not listen yet; older ones are dropped. */
export const ACKNOWLEDGEMENTS_WAITING_MAX = 64
/** The opener closes a stream without exchanges after this long; opening one again costs 3 ms of CPU. */
export const OPENER_IDLE_MS = 60 * SECOND_MS
/** The other side waits longer, so that only an opener that is gone or hostile meets this. */
export const ACCEPTOR_IDLE_MS = 10 * MINUTE_MS
/** Whoever opens a stream has something to ask; one that asks nothing for this long only takes up room. */
export const FIRST_REQUEST_MS = 30 * SECOND_MS
/**
 * A peer that sends nothing for this long after being asked for a sign of life is gone. Longer than a slow link
 * takes for what was sent before: anything that arrives meanwhile is a sign too.
 */
export const PROBE_TIMEOUT_MS = 20 * SECOND_MS
/** Dial, handshake and protocol negotiation together. */
export const OPEN_TIMEOUT_MS = 10 * SECOND_MS
/** Streams a process keeps open to others: two lanes to 4,000 peers. */
export const STREAMS_MAX = 8_192
/** A detail is a phrase of ours; whatever else a peer sends as one is cut off or dropped. */
export const DETAIL_BYTES_MAX = 128
/** A retry-after beyond a day is as good as never. */
export const RETRY_AFTER_MS_MAX = 24 * 60 * MINUTE_MS
/** What an item costs of the credit beyond its bytes, so that many tiny ones held unread are bounded too. */
export const ITEM_OVERHEAD_BYTES = 64
