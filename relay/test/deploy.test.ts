// What is shipped for operators besides the program: alerts name metrics that there are, the unit is one that systemd takes.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createHomeFolder, type HomeFolder } from './home-folder.ts'

const file = (name: string): string => fileURLToPath(new URL(`../deploy/${name}`, import.meta.url))
const has = (program: string): boolean => spawnSync(program, ['--version']).error === undefined

let relay: HomeFolder
beforeEach(async () => {
  relay = await createHomeFolder()
})
afterEach(() => relay.remove())

async function metrics(): Promise<string> {
  await relay.init()
  const { http } = await relay.start({ KITH_RELAY_HTTP: '127.0.0.1:0' })
  return await (await fetch(`http://${http}/metrics`)).text()
}

describe('the alerts', () => {
  it('name no metric that a relay does not serve', async () => {
    const served = new Set((await metrics()).matchAll(/^# TYPE (\S+)/gm).map(([, name]) => name))
    const text = await readFile(file('alerts.yml'), 'utf8')
    const named = [...text.matchAll(/expr:.*?\b(kith_\w+)/g)].map(([, name]) => name)
    expect(named.length).toBeGreaterThan(3)
    expect(named.filter((name) => !served.has(name))).toEqual([])
  })

  // Of the Debian package prometheus.
  it.skipIf(!has('promtool'))('and the metrics pass promtool', async () => {
    execFileSync('promtool', ['check', 'rules', file('alerts.yml')])
    execFileSync('promtool', ['check', 'metrics'], { input: await metrics() })
  })
})

describe('the unit', () => {
  it.skipIf(!has('systemd-analyze'))('is taken by systemd, and exposes little', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kith-'))
    try {
      const unit = join(folder, 'kith-relay.service')
      const text = await readFile(file('kith-relay.service'), 'utf8')
      // The program is not installed here.
      await writeFile(unit, text.replace(/ExecStart=\S+/, 'ExecStart=/bin/true'))
      const verified = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' })
      expect([verified.status, verified.stderr]).toEqual([0, ''])
      const offline = ['security', '--offline=true', '--threshold=20', unit]
      expect(spawnSync('systemd-analyze', offline).status).toBe(0)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})
