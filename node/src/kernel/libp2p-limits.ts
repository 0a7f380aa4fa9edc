// What one connection may hold and how many there may be, for a relay and for a node.
import { KIB, MIB, SECOND_MS } from '@kith/protocols'
import type { AdmissionLimits } from './admission.ts'
import type { NetworkProfile } from './network.ts'

interface ProfileLimits {
  /** Bytes a stream's sender may be ahead of its reader. Below `readBufferBytes`, or a pause ends in a reset. */
  readonly windowBytes: number
  /** Held by libp2p for a reader that paused. */
  readonly readBufferBytes: number
  /** Held by libp2p for a peer that does not read; our own queue waits before it, so little gets there. */
  readonly writeBufferBytes: number
  readonly admission: AdmissionLimits
  /** Yamux pings. TCP sockets are closed after two silent minutes; NATs forget them after one at the earliest. */
  readonly keepAliveMs: number
}

/**
 * A relay on a small server (2 cores, 1 GiB). A connection holds about 100 KiB, a handshake costs up to 15 ms of
 * processor time (it is the cheapest thing to flood): 50 a second leave a core's half to those connected.
 */
const RELAY_ADMISSION: AdmissionLimits = {
  // Three seconds of handshakes. When 500 a second connect and say nothing, each still has 0.3 s to finish.
  pendingMax: 200,
  pendingReserved: 50,
  pendingPerNetworkMax: 50,
  // A school behind one address that lost its line.
  connectsPerHost: { count: 100, windowMs: SECOND_MS },
  handshakesPerHost: { count: 100, windowMs: 5 * SECOND_MS },
  // A relay that was restarted meets everybody as a stranger: the first 400 at once, 1,000 within 15 s.
  handshakes: { count: 400, windowMs: 8 * SECOND_MS },
  connectionsMax: 4_000,
  // Strangers come to register, or to fetch one log and some key packages; a minute at the highest rate.
  strangersMax: 1_000,
  strangersPerNetworkMax: 200,
  // Whoever dials opens a stream at once; two round trips of a slow line and a busy relay between.
  unusedMs: 30 * SECOND_MS
}

/** Somebody's laptop: contacts' devices and few others. */
const NODE_ADMISSION: AdmissionLimits = {
  pendingMax: 50,
  pendingReserved: 10,
  pendingPerNetworkMax: 20,
  connectsPerHost: { count: 50, windowMs: SECOND_MS },
  handshakesPerHost: { count: 50, windowMs: 5 * SECOND_MS },
  handshakes: { count: 60, windowMs: 5 * SECOND_MS },
  connectionsMax: 300,
  strangersMax: 200,
  strangersPerNetworkMax: 100,
  unusedMs: 30 * SECOND_MS
}

/** The limits of each profile. */
export const LIMITS: Readonly<Record<NetworkProfile, ProfileLimits>> = {
  relay: {
    // Yamux's minimum: thousands of clients, each of which may fill its window.
    windowBytes: 256 * KIB,
    readBufferBytes: MIB,
    writeBufferBytes: MIB,
    admission: RELAY_ADMISSION,
    // Clients ping as well; this one is for clients that vanished: the ping that TCP cannot deliver ends them.
    keepAliveMs: 100 * SECOND_MS
  },
  node: {
    // 100 Mbit/s at 160 ms.
    windowBytes: 2 * MIB,
    readBufferBytes: 4 * MIB,
    writeBufferBytes: 4 * MIB,
    admission: NODE_ADMISSION,
    keepAliveMs: 45 * SECOND_MS
  }
}
