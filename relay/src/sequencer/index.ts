// The sequencer: which commit ended an epoch of a group, decided once and signed. Serves sequencer/append to
// devices of accounts hosted here; it learns a hash of the group's id and nothing of its members.
import { type Caller, ProtocolError, sequencer as protocol } from '@kith/protocols'
import type { Serve } from '../serve.ts'
import { Batches } from './batches.ts'
import type { SequencerComponents } from './components.ts'
import { requireSequenceRequest } from './state.ts'

/** Offers sequencer/append through `serve`. */
export function serveSequencer(serve: Serve, components: SequencerComponents): void {
  const append = createAppend(components)
  serve.request(protocol.sequencerAppend, append)
}

/**
 * The handler. It throws ProtocolError: `forbidden` for a device of no account here, `malformed`, `conflict`,
 * `quota`, `unavailable`.
 */
export function createAppend(components: SequencerComponents) {
  const batches = new Batches(components)
  return async (
    request: protocol.SequenceRequest,
    caller: Pick<Caller, 'publicKey'>
  ): Promise<protocol.SequenceResponse> => {
    const hosted = components.directory.ofDevice(caller.publicKey)
    if (hosted === undefined) throw new ProtocolError('forbidden', 'device-of-no-account-here')
    requireSequenceRequest(request)
    return { receipt: await batches.run({ request, box: hosted.box }) }
  }
}
