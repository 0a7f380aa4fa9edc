// Two machines on one network and no relay any more: two network namespaces joined by a cable. The nodes have new
// ports since they last met, so only multicast DNS can bring them together. Needs root and iproute2.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const KITH = join(ROOT, 'cli', 'bin', 'kith.js')
const KITH_RELAY = join(ROOT, 'relay', 'bin', 'kith-relay.js')
const HOSTS = [
  { name: `kith-a-${process.pid}`, link: 'kitha', address: '10.77.0.1' },
  { name: `kith-b-${process.pid}`, link: 'kithb', address: '10.77.0.2' }
] as const
type Host = (typeof HOSTS)[number]

const ip = (...args: readonly string[]) => spawnSync('ip', args, { encoding: 'utf8' })
const canMakeNetworks = process.getuid?.() === 0 && ip('netns', 'add', 'kith-probe').status === 0
if (canMakeNetworks) ip('netns', 'del', 'kith-probe')
else process.stdout.write('no network namespaces to be had: the local network is not tested\n')

const folder = mkdtempSync(join(tmpdir(), 'kith-lan-'))
const running: ChildProcess[] = []

function lay(): void {
  const [a, b] = HOSTS
  for (const { name } of HOSTS) ip('netns', 'add', name)
  ip(
    'link',
    'add',
    a.link,
    'netns',
    a.name,
    'type',
    'veth',
    'peer',
    'name',
    b.link,
    'netns',
    b.name
  )
  for (const { name, link, address } of HOSTS) {
    ip('-n', name, 'link', 'set', 'lo', 'up')
    ip('-n', name, 'address', 'add', `${address}/24`, 'dev', link)
    ip('-n', name, 'link', 'set', link, 'up')
    ip('-n', name, 'route', 'add', '224.0.0.0/4', 'dev', link)
  }
}

function on(host: Host, home: string, ...args: readonly string[]): string {
  const command = ['netns', 'exec', host.name, process.execPath, KITH, ...args, '--json']
  const done = spawnSync('ip', [...command, '--home', join(folder, home)], {
    encoding: 'utf8',
    timeout: 60_000
  })
  if (done.status !== 0) throw new Error(`kith ${args.join(' ')}: ${done.stderr}${done.stdout}`)
  return done.stdout
}

/** Starts a program on a host and resolves once it says that it is ready. */
async function start(host: Host, ...command: readonly string[]): Promise<ChildProcess> {
  const child = spawn('ip', ['netns', 'exec', host.name, process.execPath, ...command], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  running.push(child)
  await new Promise<void>((resolve, reject) => {
    // Read to the end: a program whose output nobody takes would stop.
    child.stdout.on('data', (chunk) => {
      if (String(chunk).includes('"ready"')) resolve()
    })
    child.once('exit', () => reject(new Error(`${command.join(' ')} ended before it was ready`)))
  })
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

const watch = (host: Host, home: string) =>
  start(host, KITH, 'message', 'watch', '--json', '--home', join(folder, home))

describe.skipIf(!canMakeNetworks)('two machines on one network', () => {
  beforeAll(lay)
  afterAll(async () => {
    for (const child of running.reverse()) await kill(child)
    for (const { name } of HOSTS) ip('netns', 'del', name)
    rmSync(folder, { recursive: true, force: true })
  })

  it('go on talking when the relay is gone and their addresses are new', async () => {
    const [a, b] = HOSTS
    const relayHome = join(folder, 'relay')
    const listen = `/ip4/${a.address}/tcp/4001`
    const init = [KITH_RELAY, 'init', '--home', relayHome, '--listen', listen, '--json']
    const made = spawnSync(process.execPath, init, { encoding: 'utf8' })
    const { joinLink } = JSON.parse(made.stdout) as { joinLink: string }
    const relay = await start(a, KITH_RELAY, 'start', '--home', relayHome, '--json')
    const linkOf = (host: Host, name: string): string => {
      const output = on(host, name, 'account', 'create', '--relay', joinLink, '--name', name)
      return (JSON.parse(output) as { account: { link: string } }).account.link
    }
    const [alice, bob] = [linkOf(a, 'alice'), linkOf(b, 'bob')]
    on(a, 'alice', 'contact', 'add', bob, '--name', 'bob')
    on(b, 'bob', 'contact', 'add', alice, '--name', 'alice')

    let nodes = [await watch(a, 'alice'), await watch(b, 'bob')]
    const wait = ['--wait', 'delivered', '--timeout', '40']
    expect(on(a, 'alice', 'message', 'send', 'bob', 'by relay', ...wait)).toContain('delivered')
    for (const process of [...nodes, relay]) await kill(process)

    nodes = [await watch(a, 'alice'), await watch(b, 'bob')]
    const sent = on(a, 'alice', 'message', 'send', 'bob', 'without any', ...wait)
    expect(JSON.parse(sent)).toMatchObject({ state: 'delivered', path: 'direct' })
    const held = on(b, 'bob', 'message', 'list', 'alice')
    expect(held).toContain('without any')
  }, 120_000)
})
