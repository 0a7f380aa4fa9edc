// Kith runs on Node 24, which comes with its packages; whoever starts it may have an older one. Plain
// JavaScript that Node 18 understands, because it is what such a Node reads first.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Type stripping, `Promise.withResolvers` and iterator helpers are used throughout. */
const MAJOR_LEAST = 24
/** What a terminal or a service manager sends to end or stir a program. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2']
/** As a shell reports it: 128 and the number of the signal that ended the program. */
const SIGNAL_EXIT_BASE = 128
const EXIT_FAILURE = 1
/** Set in the environment of the program that an older Node started. */
const STARTED = 'KITH_STARTED_BY_OLDER_NODE'

/**
 * Runs the program here if this Node is new enough; otherwise runs the same script with the Node of the npm
 * package `node`, passing on arguments, standard streams, signals and exit code.
 * @param {object} program
 * @param {string} program.name what the user typed; begins each message
 * @param {string} program.script `import.meta.url` of the script
 * @param {() => unknown} program.run imports the program proper
 */
export async function runOnCurrentNode({ name, script, run }) {
  if (Number(process.versions.node.split('.')[0]) >= MAJOR_LEAST) {
    endWithStarter()
    await run()
    return
  }
  // A package "node" that is too old itself must not start itself for ever.
  const node = process.env[STARTED] === undefined ? bundledNode(script) : undefined
  if (node === undefined) {
    process.stderr.write(
      `${name}: needs Node ${MAJOR_LEAST} or newer; this is ${process.versions.node}, and the package "node" ` +
        'that brings a newer one is not installed.\nType: npm install node@24\n'
    )
    process.exitCode = EXIT_FAILURE
    return
  }
  const args = [...process.execArgv, fileURLToPath(script), ...process.argv.slice(2)]
  const child = spawn(node, args, {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [STARTED]: '1' }
  })
  for (const signal of SIGNALS) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    process.stderr.write(`${name}: cannot run ${node}: ${error.message}\n`)
    process.exitCode = EXIT_FAILURE
  })
  child.on('exit', (code, signal) => {
    process.exit(signal === null ? code : SIGNAL_EXIT_BASE + (constants.signals[signal] ?? 0))
  })
}

/** Ends this program when the older Node that started it is gone, however that ended (the channel closes). */
function endWithStarter() {
  if (process.env[STARTED] === undefined || process.channel == null) return
  process.channel.unref()
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
}

/** @param {string} script */
function bundledNode(script) {
  try {
    const folder = dirname(createRequire(script).resolve('node/package.json'))
    const file = join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
    return existsSync(file) ? file : undefined
  } catch {
    // Not installed: the caller says what to do.
    return undefined
  }
}
