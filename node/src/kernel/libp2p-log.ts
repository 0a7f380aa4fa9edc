// libp2p's own log lines hold addresses and text of peers, and formatting them costs time on every frame: off.
import type { ComponentLogger, Logger } from '@libp2p/interface'

const silent: Logger = Object.assign(() => {}, {
  error() {},
  trace() {},
  enabled: false,
  newScope: (): Logger => silent
})

export const silentLibp2pLogger: ComponentLogger = { forComponent: () => silent }
