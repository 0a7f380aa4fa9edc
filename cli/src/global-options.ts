// Options that every command has.

export const GLOBAL_OPTIONS: readonly (readonly [string, string])[] = [
  ['--home <folder>', 'where the account lives (default: KITH_HOME, else ~/.local/share/kith)'],
  ['--color <when>', 'colours on a terminal: auto, never or always (default: auto)'],
  ['--json', 'print JSON for programs: data on standard output, errors on standard error'],
  ['--passphrase-file <file>', 'read the passphrase of the key file (or set KITH_PASSPHRASE)']
]
