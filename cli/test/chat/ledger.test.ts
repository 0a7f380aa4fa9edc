import type { MessageView } from '@kith/node'
import { describe, expect, it } from 'vitest'
import { Ledger, ORDER_WAIT_MS } from '../../src/chat/ledger.ts'

const message = (local: number, state: MessageView['state']): MessageView => ({
  local,
  id: undefined,
  conversation: 'c' as MessageView['conversation'],
  sender: 'x',
  outgoing: state !== 'received',
  text: '',
  sentAtMs: 0,
  storedAtMs: 0,
  state,
  relays: 0,
  path: undefined,
  reason: undefined
})

const locals = (messages: readonly MessageView[]) => messages.map(({ local }) => local)

describe('the ledger of a piped chat', () => {
  it('holds a line back for an earlier undelivered one, but not for long', () => {
    const ledger = new Ledger()
    ledger.addOwn(message(1, 'queued'), 0)
    ledger.observe(message(2, 'received'), 100)
    expect(locals(ledger.takeDue(100))).toEqual([])
    expect(locals(ledger.takeDue(ORDER_WAIT_MS - 1))).toEqual([])
    expect(locals(ledger.takeDue(ORDER_WAIT_MS))).toEqual([2])
    ledger.observe(message(1, 'delivered'), ORDER_WAIT_MS + 1)
    expect(locals(ledger.takeDue(ORDER_WAIT_MS + 1))).toEqual([1])
    expect(ledger.isWaiting).toBe(false)
  })

  it('prints each message once, whatever comes late', () => {
    const ledger = new Ledger()
    ledger.observe(message(1, 'delivered'), 0)
    expect(locals(ledger.takeDue(0))).toEqual([1])
    ledger.addOwn(message(1, 'queued'), 0)
    ledger.observe(message(1, 'delivered'), 0)
    expect(locals(ledger.takeAll())).toEqual([])
    expect([ledger.sent, ledger.pending]).toEqual([1, 0])
  })

  it('counts as pending what this chat sent and is not delivered', () => {
    const ledger = new Ledger()
    ledger.addOwn(message(1, 'queued'), 0)
    ledger.addOwn(message(2, 'queued'), 0)
    ledger.observe(message(3, 'accepted'), 0)
    ledger.observe(message(1, 'accepted'), 0)
    expect(ledger.pending).toBe(2)
    ledger.observe(message(1, 'delivered'), 0)
    expect(ledger.pending).toBe(1)
    expect(locals(ledger.takeAll())).toEqual([1, 2, 3])
    ledger.observe(message(2, 'delivered'), 0)
    expect([ledger.sent, ledger.pending]).toEqual([2, 0])
  })
})
