// Sizes of what a group may be and may send. Checked before anything is decoded: the MLS library has no limit.
import { KIB } from '@kith/protocols'

/** One of suite 0x0001 with a certificate takes about 400 bytes; the rest is room for extensions. */
export const KEY_PACKAGE_BYTES_MAX = 4 * KIB
/** 500 fresh leaves in one commit take 193 KB (measured: 386 KB for 1,000). */
export const COMMIT_BYTES_MAX = 256 * KIB
/** Secrets for 500 newcomers and the tree of 500 leaves take 200 KB (measured: 400 KB for 1,000). */
export const WELCOME_BYTES_MAX = 512 * KIB
/** Leaves of one group: 250 accounts of two devices, where a commit still costs less than a second. */
export const LEAVES_MAX = 500
export const GROUP_ID_BYTES = 32
/** Of a KeyPackageRef: SHA-256. */
export const REFERENCE_BYTES = 32
export const ARCHIVE_KEY_BYTES = 32
export const AUTHENTICATOR_BYTES = 8
