// Direct deliveries that wait for an answer: one for each envelope, once it is on disk or never will be.
import type { MessageId } from '@kith/protocols'

interface OpenAnswer {
  readonly waiting: Set<MessageId>
  readonly held: MessageId[]
  readonly resolve: (held: readonly MessageId[]) => void
}

export class DirectAnswers {
  readonly #open = new Map<number, OpenAnswer>()
  #last = 0

  /** A request for these envelopes; `answered` resolves to those that are held when all have been settled. */
  open(ids: readonly MessageId[]): { request: number; answered: Promise<readonly MessageId[]> } {
    this.#last += 1
    const { promise, resolve } = Promise.withResolvers<readonly MessageId[]>()
    if (ids.length === 0) resolve([])
    else this.#open.set(this.#last, { waiting: new Set(ids), held: [], resolve })
    return { request: this.#last, answered: promise }
  }

  settle({ request, id, held }: { request: number; id: MessageId; held: boolean }): void {
    const answer = this.#open.get(request)
    if (answer === undefined || !answer.waiting.delete(id)) return
    if (held) answer.held.push(id)
    if (answer.waiting.size > 0) return
    this.#open.delete(request)
    answer.resolve(answer.held)
  }
}
