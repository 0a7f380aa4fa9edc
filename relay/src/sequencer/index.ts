// The sequencer: which commit ended an epoch of a group, decided once, signed, and kept with the change for whoever
// missed it. Serves sequencer/append and sequencer/decided to devices of accounts hosted here; it learns a hash of
// the group's id and nothing of its members.
import { type Caller, ProtocolError, sequencer as protocol } from '@kith/protocols'
import type { BoxNumber } from '../box/box.ts'
import type { Serve } from '../serve.ts'
import { Batches } from './batches.ts'
import type { SequencerComponents } from './components.ts'
import { loadDecided } from './records.ts'
import { requireDecidedRequest, requireSequenceRequest } from './state.ts'

type By = Pick<Caller, 'publicKey'>

/** Offers both protocols through `serve`. */
export function serveSequencer(serve: Serve, components: SequencerComponents): void {
  serve.request(protocol.sequencerAppend, createAppend(components))
  serve.request(protocol.sequencerDecided, createDecided(components))
}

/**
 * The handler. It throws ProtocolError: `forbidden` for a device of no account here and for no member, `malformed`,
 * `conflict`, `quota`, `unavailable`.
 */
export function createAppend(components: SequencerComponents) {
  const batches = new Batches(components)
  return async (
    request: protocol.SequenceRequest,
    caller: By
  ): Promise<protocol.SequenceResponse> => {
    const box = boxOf(components, caller)
    requireSequenceRequest(request)
    return await batches.run({ request, box })
  }
}

/** The handler. It throws ProtocolError: `forbidden`, `malformed`, `not-found` for an epoch without a receipt. */
export function createDecided(components: SequencerComponents) {
  return async (
    request: protocol.DecidedRequest,
    caller: By
  ): Promise<protocol.SequenceResponse> => {
    boxOf(components, caller)
    requireDecidedRequest(request)
    const decided = await loadDecided(components.store, request.group, request.epoch)
    if (decided === undefined) throw new ProtocolError('not-found', 'epoch')
    return decided
  }
}

/** Of the caller's account. */
function boxOf({ directory }: SequencerComponents, { publicKey }: By): BoxNumber {
  const hosted = directory.ofDevice(publicKey)
  if (hosted === undefined) throw new ProtocolError('forbidden', 'device-of-no-account-here')
  return hosted.box
}
