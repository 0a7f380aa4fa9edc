// Evidence against relays, as typed: listed, handed on, and checked by somebody without an account.
import { generateKeyPairSync, sign } from 'node:crypto'
import type { EvidenceView } from '@kith/node'
import { LABELS, relayIdOf, sequencer } from '@kith/protocols'
import { beforeEach, describe, expect, it } from 'vitest'
import { type MemoryPerson, MemoryWorld } from '../memory-engine.ts'
import { type RunOptions, run, temporaryHome } from '../run.ts'

let home: string
let world: MemoryWorld
let alice: MemoryPerson

beforeEach(async () => {
  home = await temporaryHome()
  world = new MemoryWorld()
  alice = world.person(home, 'alice')
})

const kith = (argv: readonly string[], options: Partial<RunOptions> = {}) =>
  run(argv, { home, engine: world, ...options })

/** Two receipts of a relay for one epoch of a group: as a relay that lies would sign them. */
function found(): EvidenceView {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const key = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
  const statement = (commit: number): string => {
    const receipt = sequencer.Receipt.encode({
      group: new Uint8Array(32),
      epoch: 3,
      parent: new Uint8Array(0),
      commit: new Uint8Array(32).fill(commit),
      relay: key,
      sealed: new Uint8Array(32),
      next: new Uint8Array(32)
    })
    const signature = sign(null, Buffer.concat([LABELS.receipt, receipt]), privateKey)
    return Buffer.from(sequencer.SignedReceipt.encode({ receipt, signature })).toString('base64')
  }
  const one: EvidenceView = {
    number: alice.evidence.length + 1,
    relay: relayIdOf(key),
    atMs: Date.UTC(2026, 0, 2, 12, 0),
    kind: 'receipts',
    statements: [statement(1), statement(2)]
  }
  alice.evidence.push(one)
  return one
}

describe('evidence', () => {
  it('is listed with its relay and what that did', async () => {
    expect((await kith(['evidence', 'list'])).stdout).toBe(
      'no evidence: no relay contradicted itself\n'
    )
    const { relay } = found()
    const { code, stdout } = await kith(['evidence', 'list'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^1 {2}2026-01-0\d .*two different changes for one epoch/)
    expect(stdout).toContain(relay)
    expect((await kith(['evidence', 'list', '--json'])).json()).toMatchObject([
      { number: 1, relay }
    ])
  })

  it('is handed on, and holds for somebody without an account', async () => {
    const { relay } = found()
    for (const words of [[], ['--json']]) {
      const { code, stdout } = await kith(['evidence', 'export', '1', ...words])
      expect(code).toBe(0)
      const checked = await run(['evidence', 'check'], {
        home: '/nobody',
        engine: world,
        stdin: [stdout]
      })
      expect(checked).toMatchObject({ code: 0, stderr: '' })
      expect(checked.stdout).toContain(`proven of ${relay}`)
    }
  })

  it('proves nothing when changed on the way: exit code 6', async () => {
    const { statements, ...rest } = found()
    const other = found()
    for (const changed of [
      { ...rest, relay: other.relay, statements },
      { ...rest, statements: [statements[0], statements[0]] },
      { ...rest, statements: [statements[0], other.statements[1]] },
      { ...rest, statements: ['?', '!'] },
      { ...rest, kind: 'heads', statements }
    ]) {
      const stdin = [JSON.stringify({ kithEvidence: 1, ...changed })]
      const { code, stdout, stderr } = await kith(['evidence', 'check'], { stdin })
      expect({ code, stdout }).toEqual({ code: 6, stdout: '' })
      expect(stderr).toMatch(/^kith: This proves nothing against /)
    }
  })

  it.each([
    ['nothing', ''],
    ['another form', '{"kithEvidence":2}'],
    ['no relay', '{"kithEvidence":1,"relay":"\\u001b[2J","kind":"heads","statements":["",""]}'],
    ['no kind', '{"kithEvidence":1,"relay":"x","kind":"__proto__","statements":["",""]}'],
    ['too much', 'x'.repeat(20_000)]
  ])('refuses %s in words: exit code 2', async (_, text) => {
    const { code, stderr } = await kith(['evidence', 'check'], { stdin: [text] })
    expect(code).toBe(2)
    expect(stderr).toMatch(/^kith: This is no evidence/)
    expect(stderr).not.toContain('\u001b')
  })

  it('that is not there is said so: exit code 5', async () => {
    found()
    for (const number of ['2', '0', '-1x', '1e0', 'all']) {
      const { code, stderr } = await kith(['evidence', 'export', '--', number])
      expect(code).toBe(5)
      expect(stderr).toContain('kith evidence list')
    }
  })
})
