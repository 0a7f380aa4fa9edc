// `kith-relay backup|restore|fsck`
import { resolve } from 'node:path'
import { StoreError, silentLog, systemRandom } from '@kith/node/kernel'
import { nodePrimitives } from '@kith/node/kernel/host'
import type { Command } from 'commander'
import { backUp, type Manifest, restore } from '../backup/backup.node.ts'
import { checkStore } from '../backup/check.ts'
import { ask } from '../control.node.ts'
import { EXIT, OperatorError } from '../errors.ts'
import { filesOf, readHome, resolveHome } from '../home.node.ts'
import { openStore } from '../open.node.ts'
import type { Output } from '../output.ts'
import { openMeta } from '../storage/meta.ts'

interface Options {
  readonly home?: string
  readonly json?: boolean
}

const filesFor = (options: { readonly home?: string }) =>
  filesOf(resolveHome(options.home, process.env), nodePrimitives.sha256)

/** Adds the commands to the program; they throw OperatorError. */
export function addBackup(program: Command, output: Output): void {
  program
    .command('backup <folder>')
    .description(
      'copy the relay into a new folder, while it runs or not; checked when it is written'
    )
    .option('--home <folder>', 'where the relay lives')
    .option('--json', 'one JSON object instead of text')
    .addHelpText(
      'after',
      '\nThe copy holds the key of the relay: keep it as you keep the relay itself.\n\n' +
        'Example:\n  kith-relay backup /backups/relay-monday --home ./relay'
    )
    .action((folder: string, options: Options) => backup(resolve(folder), options, output))
  program
    .command('restore <backup>')
    .description(
      'make the folder of a relay from a backup, checked before anything is put in place'
    )
    .option('--home <folder>', 'where the relay will live; must not be there yet')
    .option('--json', 'one JSON object instead of text')
    .addHelpText('after', '\nExample:\n  kith-relay restore /backups/relay-monday --home ./relay')
    .action((from: string, options: Options) => putBack(resolve(from), options, output))
  program
    .command('fsck')
    .description('read everything that the relay keeps and say what does not hold together')
    .option('--home <folder>', 'where the relay lives, or a backup')
    .option('--json', 'one JSON object instead of text')
    .addHelpText('after', '\nExample:\n  kith-relay fsck --home ./relay')
    .action((options: Options) => fsck(options, output))
}

async function backup(to: string, options: Options, output: Output): Promise<void> {
  const files = filesFor(options)
  await readHome(files, {})
  if (options.json !== true) output.logLine(`copying to ${to} …`)
  const manifest =
    (await ask<Manifest>(files, 'backup', { to }, 'as long as it takes')) ??
    (await backUpStopped(files, to))
  if (options.json === true) output.json({ ...manifest, folder: to })
  else output.line(`${manifest.records} records are in ${to}, checked.`)
}

async function backUpStopped(files: ReturnType<typeof filesFor>, to: string): Promise<Manifest> {
  const store = await openStore(files, silentLog)
  try {
    return await backUp({ files, store }, to)
  } finally {
    await store.close()
  }
}

async function putBack(from: string, options: Options, output: Output): Promise<void> {
  const home = resolveHome(options.home, process.env)
  if (options.json !== true) output.logLine(`checking ${from} …`)
  const { manifest, checked } = await restoreWhole(from, home)
  const { accounts, entries } = checked
  if (options.json === true) {
    output.json({ home, relay: manifest.relay, accounts, entries, madeAt: manifest.madeAt })
    return
  }
  output.line(
    `Relay ${manifest.relay} of ${manifest.madeAt} is in ${home}: ${accounts} accounts, ${entries} entries.`
  )
  output.line(
    'Devices will notice, and bring again what came after the backup. Never run it beside the one it was made of.\n' +
      `Next, type:\n  kith-relay start --home ${home}`
  )
}

/** A store that LevelDB's own checks refuse is a damaged backup as well. */
async function restoreWhole(from: string, home: string): ReturnType<typeof restore> {
  try {
    return await restore(from, home)
  } catch (cause) {
    if (!(cause instanceof StoreError)) throw cause
    throw new OperatorError(
      'backup-damaged',
      `The backup in ${from} is damaged: ${cause.message}.`,
      {
        hint: 'Use another one. Nothing was changed.',
        cause
      }
    )
  }
}

async function fsck(options: Options, output: Output): Promise<void> {
  const files = filesFor(options)
  const store = await openStore(files, silentLog)
  try {
    const meta = await openMeta(store, systemRandom)
    const checked = await checkStore(store, meta, nodePrimitives)
    const { accounts, boxes, entries, problems } = checked
    if (options.json === true) output.json(checked)
    else {
      output.line(`${accounts} accounts, ${boxes} boxes, ${entries} entries`)
      for (const problem of problems) output.line(`problem: ${problem}`)
    }
    if (problems.length === 0) return
    throw new OperatorError('damaged', `${problems.length} things do not hold together.`, {
      hint: 'Nothing was changed. Restore a backup: kith-relay restore <backup> --home <new folder>',
      exitCode: EXIT.failure
    })
  } finally {
    await store.close()
  }
}
