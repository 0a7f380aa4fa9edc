// What every message of every benchmark carries, so that sides are compared on the same work.

/** Length of a message's text; the size BARS and the peers' own figures use: a long chat line. */
export const BODY_BYTES = 200
