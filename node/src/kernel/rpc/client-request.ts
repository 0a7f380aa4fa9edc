// One request on its way: settled once, by its answer, its time-out, its caller or the loss of the stream.
import { decodeBounded, frame as frames, type Protocol, ProtocolError } from '@kith/protocols'
import type { Frame } from '../frame-codec.ts'
import { errorOf } from './status.ts'

/** One exchange that waits for frames of the other side. */
export interface ClientExchange {
  readonly id: number
  readonly deadlineMs: number
  onFrame(frame: Frame): void
  fail(error: unknown): void
}

/** What a caller wants to know, and how to tell it. */
export interface Asked<Request, Response> {
  readonly protocol: Protocol<Request, Response>
  readonly deadlineMs: number
  readonly signal: AbortSignal | undefined
  readonly resolve: (response: Response) => void
  readonly reject: (error: unknown) => void
}

interface RequestHooks {
  /** Tells the other side that nobody waits any more. */
  readonly cancel: () => void
  readonly done: () => void
}

export class ClientRequest<Request, Response> implements ClientExchange {
  readonly id: number
  readonly deadlineMs: number
  readonly #asked: Asked<Request, Response>
  readonly #hooks: RequestHooks
  readonly #onAbort: (() => void) | undefined

  constructor(id: number, asked: Asked<Request, Response>, hooks: RequestHooks) {
    this.id = id
    this.deadlineMs = asked.deadlineMs
    this.#asked = asked
    this.#hooks = hooks
    if (asked.signal === undefined) return
    this.#onAbort = () => this.fail(asked.signal?.reason)
    asked.signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  onFrame(frame: Frame): void {
    if (frame.kind !== frames.FrameKind.RESPONSE) {
      throw new ProtocolError('malformed', 'a request is answered by a response')
    }
    const { protocol, resolve, reject } = this.#asked
    this.#settle()
    if (frame.status !== 0) return reject(errorOf(frame, protocol.id))
    try {
      resolve(decodeBounded(protocol.response, frame.body, protocol.limits.responseBytes))
    } catch (error) {
      reject(error)
    }
  }

  fail(error: unknown): void {
    this.#settle()
    // On a lost stream this writes nothing.
    this.#hooks.cancel()
    this.#asked.reject(error)
  }

  #settle(): void {
    if (this.#onAbort !== undefined) {
      this.#asked.signal?.removeEventListener('abort', this.#onAbort)
    }
    this.#hooks.done()
  }
}
