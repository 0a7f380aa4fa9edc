// The public surface of @kith/relay.
export { ConfigError, DEFAULT_CONFIG, type RelayConfig, type RelayLimits } from './config/index.ts'
export { EXIT, OperatorError } from './errors.ts'
export { type InitOptions, type InitResult, initRelay } from './init.node.ts'
export { type OpenRelayInit, openRelay } from './open.node.ts'
export { createRelay, type Relay, type RelayInit, type RelayStatus } from './relay.ts'
