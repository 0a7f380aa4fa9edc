// The public surface of @kith/cli: the command as a function, and what a front end of another kind can share.
export type { Context, InputStream, LineEditor, Session } from './command.ts'
export { COMMANDS, NOUNS } from './commands/index.ts'
export type { Engine, Log, Messenger, SecretSource } from './engine.ts'
export { EXIT, EXIT_CODES } from './exit-codes.ts'
export { type Environment, runCli } from './main.ts'
export { manPages } from './man.ts'
export { type SanitizeOptions, sanitize, toSafeJson } from './sanitize.ts'
