// Frames: how exchanges share the two long-lived streams of a peer. See README.md.
import type { Lane } from '../define.ts'
import { KIB, MIB } from '../units.ts'

/** The libp2p protocol of each lane; the only two streams a pair of peers keeps. */
export const LANE_PROTOCOL: Readonly<Record<Lane, string>> = {
  control: '/kith/control/1.0.0',
  bulk: '/kith/bulk/1.0.0'
}

/** Everything of a frame that is not its body: ids, a method name, a detail. */
export const FRAME_OVERHEAD_BYTES = KIB

/** No frame of any lane is larger, whatever its length prefix claims; checked before waiting for a body. */
export const FRAME_BYTES_MAX = MIB + FRAME_OVERHEAD_BYTES

export * from './pb/frame.ts'
