// What is asked of a group's sequencer, and whether what it answers can be: one's own change first, or another's.
import { decodeBounded, ProtocolError, publicKeyOf, sequencer } from '@kith/protocols'
import { equals } from 'uint8arrays/equals'
import type { EpochState, Incarnation } from '../conversations/incarnations.ts'
import { FalseAnswer } from '../delivery/false-answer.ts'
import type { MadeChange, SealedWelcome, Sequenced } from '../delivery/state.ts'
import {
  decodeReceipt,
  readReceipt,
  sequencedCommit,
  sequencedGroup,
  sequenceRequest
} from '../groups/receipts.ts'
import type { DirectGroupsComponents } from './direct-groups.ts'
import { sequencerOf } from './direct-policy.ts'
import type { GroupChanges } from './group-changes.ts'
import { type Change, openChange, sealChange } from './sequenced-change.ts'

/** Where a group stands. */
interface Standing {
  readonly incarnation: Incarnation
  /** The epoch that a change ends. */
  readonly epoch: EpochState
}

interface Asked extends Standing {
  /** Made here. */
  readonly change: MadeChange
}

/** Welcomes to members: nobody else's box is written to for a stranger's sake. */
function welcomesFor({ members }: EpochState, { welcomes }: Change): readonly SealedWelcome[] {
  return welcomes.filter((one) => members.some(({ account }) => account === one.account))
}

export class Sequencing {
  readonly #components: DirectGroupsComponents
  readonly #changes: Pick<GroupChanges, 'openCommit'>

  constructor(components: DirectGroupsComponents, changes: Pick<GroupChanges, 'openCommit'>) {
    this.#components = components
    this.#changes = changes
  }

  /**
   * Asks the sequencer to put this change first. The one that is first is brought along when it is another's. Rejects
   * with ProtocolError, or with FalseAnswer when what the sequencer says cannot be.
   */
  async sequence({ incarnation, epoch, change }: Asked, signal: AbortSignal): Promise<Sequenced> {
    const { primitives, rpc } = this.#components
    const { commit } = change
    const request = sequenceRequest(
      {
        ended: epoch,
        begun: change.epoch,
        commit,
        sealed: sealChange(change, epoch.archiveKey, primitives),
        previous: epoch.receipt
      },
      primitives
    )
    const home = sequencerOf(incarnation, this.#components)
    try {
      const answer = await rpc.request(home, sequencer.sequencerAppend, request, { signal })
      const { receipt, fields } = this.#readAnswer(answer, { incarnation, epoch })
      if (equals(fields.commit, request.commit)) return { type: 'won', receipt }
      return await this.#lost(answer, { incarnation, epoch })
    } catch (error) {
      const isPassed =
        error instanceof ProtocolError &&
        error.code === 'conflict' &&
        error.detail === 'epoch-passed'
      if (!isPassed) throw error
      const reason = 'too many others were missed'
      return {
        type: 'lost',
        receipt: undefined,
        change: { type: 'refused', reason, endsGroup: true },
        commit: undefined,
        welcomes: []
      }
    }
  }

  /** The change that ended this epoch, if the sequencer has put one first. Rejects as `sequence` does. */
  async decided(
    { incarnation, epoch }: Standing,
    signal: AbortSignal
  ): Promise<Sequenced | undefined> {
    const { primitives, rpc } = this.#components
    const request = { group: sequencedGroup(epoch.groupId, primitives), epoch: epoch.epoch }
    const home = sequencerOf(incarnation, this.#components)
    try {
      const answer = await rpc.request(home, sequencer.sequencerDecided, request, { signal })
      return await this.#lost(answer, { incarnation, epoch })
    } catch (error) {
      if (error instanceof ProtocolError && error.code === 'not-found') return undefined
      throw error
    }
  }

  /** Whether an encoded receipt is of this group and names the relay that decides for it; signatures apart. */
  decides(incarnation: Incarnation, bytes: Uint8Array): boolean {
    const { primitives } = this.#components
    try {
      const { receipt } = decodeReceipt(bytes)
      const { group, relay } = decodeBounded(
        sequencer.Receipt,
        receipt,
        sequencer.RECEIPT_BYTES_MAX
      )
      const { id } = sequencerOf(incarnation, this.#components)
      const name = sequencedGroup(incarnation.groupId, primitives)
      return equals(group, name) && equals(relay, publicKeyOf(id))
    } catch (error) {
      if (error instanceof ProtocolError) return false
      throw error
    }
  }

  #readAnswer(
    { receipt }: sequencer.SequenceResponse,
    { incarnation, epoch }: Standing
  ): { readonly receipt: Uint8Array; readonly fields: sequencer.Receipt } {
    const { primitives } = this.#components
    const { id: relay } = sequencerOf(incarnation, this.#components)
    try {
      if (receipt === undefined) throw new ProtocolError('malformed', 'no receipt')
      const fields = readReceipt(receipt, { relay, ended: epoch }, primitives)
      return { receipt: sequencer.SignedReceipt.encode(receipt), fields }
    } catch (error) {
      throw error instanceof ProtocolError ? new FalseAnswer('false-change', error) : error
    }
  }

  /** Another's change, as it left it with the sequencer: taken exactly as if it had come by the box. */
  async #lost(answer: sequencer.SequenceResponse, asked: Standing): Promise<Sequenced> {
    const { primitives } = this.#components
    const { incarnation, epoch } = asked
    const { receipt, fields } = this.#readAnswer(answer, asked)
    const { sealed } = answer
    // The relay signed for these very bytes: whoever cannot open what it signed for knows that the winner made it so.
    if (!equals(sequencer.sealedChangeHash(sealed, primitives.sha256), fields.sealed)) {
      throw new FalseAnswer('false-change', 'other bytes than it signed a receipt for')
    }
    const change = openChange(sealed, epoch.archiveKey, primitives)
    if (change === undefined) {
      const refused = { type: 'refused', reason: 'nobody can read it', endsGroup: true } as const
      return { type: 'lost', receipt, change: refused, commit: undefined, welcomes: [] }
    }
    const { commit } = change
    const opened = await this.#changes.openCommit({ commit, receipt }, incarnation, epoch.members)
    const isOther =
      opened.type === 'refused' && !equals(sequencedCommit(commit, primitives), fields.commit)
    return {
      type: 'lost',
      receipt,
      change: isOther ? { ...opened, endsGroup: true } : opened,
      commit,
      welcomes: opened.type === 'applied' ? welcomesFor(opened.group.epoch, change) : []
    }
  }
}
