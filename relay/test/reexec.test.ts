// An older Node that is asked to run a program of ours hands over to the Node of the package "node".
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const REEXEC = fileURLToPath(new URL('../../node/bin/reexec.js', import.meta.url))
/** A folder that has the package "node" above it. */
const INSTALLED = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url))

/** Makes the first Node say that it is older than it is. */
const OLDER = `
  if (process.env.KITH_STARTED_BY_OLDER_NODE === undefined)
    Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.0' } })
`
const PROGRAM = (reexec: string) => `
  import { runOnCurrentNode } from ${JSON.stringify(reexec)}
  await runOnCurrentNode({ name: 'program', script: import.meta.url, run })
  function run() {
    const [what, code] = process.argv.slice(2)
    process.stdout.write(what + ' ' + process.pid + '\\n')
    if (what === 'exit') process.exit(Number(code))
    process.on('SIGTERM', () => process.exit(7))
    setInterval(() => undefined, 1_000)
  }
`

let folders: { installed: string; lonely: string }

beforeAll(async () => {
  await mkdir(INSTALLED, { recursive: true })
  folders = {
    installed: await mkdtemp(join(INSTALLED, 'reexec-')),
    lonely: await mkdtemp(join(tmpdir(), 'kith-reexec-'))
  }
  for (const folder of Object.values(folders)) {
    await cp(REEXEC, join(folder, 'reexec.mjs'))
    await writeFile(join(folder, 'older.cjs'), OLDER)
    const reexec = pathToFileURL(join(folder, 'reexec.mjs')).href
    await writeFile(join(folder, 'program.mjs'), PROGRAM(reexec))
  }
})

afterAll(async () => {
  for (const folder of Object.values(folders)) await rm(folder, { recursive: true, force: true })
})

function start(folder: string, ...args: string[]) {
  const script = [join(folder, 'program.mjs'), ...args]
  const env = { ...process.env }
  delete env.KITH_STARTED_BY_OLDER_NODE
  const child = spawn(process.execPath, ['--require', join(folder, 'older.cjs'), ...script], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env
  })
  const output = { out: '', error: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output.out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    output.error += text
  })
  const closed = once(child, 'close').then(([code]) => ({ ...output, code }))
  return { child, closed, output }
}

async function startWaiting() {
  const started = start(folders.installed, 'wait')
  await expect.poll(() => started.output.out, { timeout: 10_000 }).toMatch(/^wait \d+\n/)
  return { ...started, pid: Number(started.output.out.split(' ')[1]) }
}

describe('an older Node', () => {
  it('passes on arguments, output and exit code', async () => {
    const { child, closed } = start(folders.installed, 'exit', '5')
    const { code, out } = await closed
    expect(code).toBe(5)
    expect(out).toMatch(/^exit \d+\n$/)
    expect(out).not.toBe(`exit ${child.pid}\n`)
  })

  it('passes on signals', async () => {
    const { child, closed } = await startWaiting()
    child.kill('SIGTERM')
    expect((await closed).code).toBe(7)
  })

  it('takes the program with it when it is killed', async () => {
    const { child, pid } = await startWaiting()
    child.kill('SIGKILL')
    await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false)
  })

  it('says what to type where there is no newer one', async () => {
    const { code, error } = await start(folders.lonely, 'exit', '0').closed
    expect(code).toBe(1)
    expect(error).toBe(
      'program: needs Node 24 or newer; this is 18.20.0, and the package "node" that brings a newer one ' +
        'is not installed.\nType: npm install node@24\n'
    )
  })
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
