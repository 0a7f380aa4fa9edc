// The port under the frames: one end of an ordered, reliable stream of bytes between two authenticated peers.
// A libp2p stream (libp2p-stream.ts) and an in-process pair (testing/memory-network.ts) implement it.

export interface ByteStreamEvents {
  /** Never called again after `onEnd`. The bytes stay valid and are not changed afterwards. */
  onBytes(bytes: Uint8Array): void
  /** `isWritable` became true. */
  onWritable(): void
  /** Once: the other side ended its writing (no error), or the stream is lost. */
  onEnd(error?: Error): void
}

export interface ByteStream {
  /** Once, right after the stream was obtained; bytes that arrived before are delivered after this call. */
  attach(events: ByteStreamEvents): void
  /** False while the other side or the transport takes no more; wait for `onWritable` before sending. */
  readonly isWritable: boolean
  /** The bytes are not copied: do not change them afterwards. Does nothing on a lost stream. */
  send(bytes: Uint8Array): void
  /**
   * That many of the delivered bytes were used up. The sender may be only a window ahead of this, so whoever
   * does not release holds at most a window of bytes and stops the sender.
   */
  release(byteCount: number): void
  /** Ends our writing once everything is sent. The stream is freed when both sides did. */
  close(): void
  /** Resets the stream: both sides lose it at once, and what is unsent. */
  abort(error: Error): void
}
