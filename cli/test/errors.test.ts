import { UserError } from '@kith/node'
import { ProtocolError } from '@kith/protocols'
import { describe, expect, it } from 'vitest'
import { CommandError, report } from '../src/errors.ts'
import { EXIT } from '../src/exit-codes.ts'

const plain = { json: false, debug: false }

describe('the printer of failures', () => {
  it('says what happened, why, and what to type', () => {
    const error = new UserError('no-account', 'There is no account here. The folder is empty', {
      hint: 'kith account create'
    })
    expect(report(error, plain)).toEqual({
      text: 'kith: There is no account here. The folder is empty.\n  try: kith account create\n',
      exitCode: EXIT.notFound
    })
  })

  it('prints one line of JSON for programs', () => {
    const { text } = report(new UserError('wrong-invite', 'No.\u009B'), {
      json: true,
      debug: false
    })
    expect(text).toBe('{"error":{"code":"wrong-invite","message":"No.\\u009b","exitCode":4}}\n')
  })

  it('shows no stack trace unless asked', () => {
    const error = new Error('broken', { cause: new Error('deeper') })
    expect(report(error, plain).text).toBe(
      'kith: Something inside went wrong: broken.\n  try: KITH_DEBUG=1 kith …, which shows where\n'
    )
    const { text } = report(error, { json: false, debug: true })
    expect(text).toContain('errors.test.ts')
    expect(text).toContain('caused by Error: deeper')
  })

  it('disarms text from the network in every part', () => {
    const error = new UserError('x', 'a\u001B[2J\nkith: forged', { hint: 'b\u009Bc\u202E' })
    expect(report(error, plain).text).toBe('kith: a␛[2J␊kith: forged.\n  try: b<9B>c\n')
    const { text } = report(error, { json: false, debug: true })
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u)
  })

  it.each([
    ['usage', EXIT.usage],
    ['malformed-link', EXIT.usage],
    ['empty-message', EXIT.usage],
    ['message-too-long', EXIT.usage],
    ['bad-text', EXIT.usage],
    ['bad-name', EXIT.usage],
    ['unreachable-relay', EXIT.network],
    ['wrong-invite', EXIT.refused],
    ['wrong-passphrase', EXIT.refused],
    ['passphrase-needed', EXIT.refused],
    ['outbox-full', EXIT.refused],
    ['no-account', EXIT.notFound],
    ['unknown-contact', EXIT.notFound],
    ['store-in-use', EXIT.failure],
    ['store-damaged', EXIT.failure],
    ['account-exists', EXIT.failure],
    ['connection-lost', EXIT.failure],
    ['interrupted', EXIT.interrupted],
    ['never heard of', EXIT.failure]
  ])('ends %s with exit code %i', (code, exitCode) => {
    expect(report(new CommandError(code, 'x'), plain).exitCode).toBe(exitCode)
  })

  it('puts errors of the system and of the protocol into words', () => {
    const denied = Object.assign(new Error('EACCES: …'), { code: 'EACCES', path: '/root/x' })
    expect(report(denied, plain).text).toBe('kith: Permission denied: /root/x.\n')
    const refused = new ProtocolError('rate-limited', 'too many requests')
    expect(report(refused, plain)).toEqual({
      text: 'kith: too many requests (rate-limited).\n',
      exitCode: EXIT.network
    })
    expect(report('a string', plain).text).toBe('kith: a string.\n')
  })
})
