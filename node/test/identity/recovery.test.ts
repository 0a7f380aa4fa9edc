// Recovery words: what they give, and how precisely they are refused.
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { describe, expect, test } from 'vitest'
import { createRecoveryKey, recoveryKeyFromWords } from '../../src/identity/recovery.ts'
import { nodePrimitives } from '../../src/kernel/primitives.node.ts'
import { systemRandom } from '../../src/kernel/random.ts'

const fixedRandom = { ...systemRandom, bytes: (length: number) => new Uint8Array(length).fill(5) }
const read = (words: string) => recoveryKeyFromWords(words, nodePrimitives)

function fault(words: string): { message: string; hint: string | undefined } {
  try {
    read(words)
  } catch (error) {
    expect(error).toMatchObject({ name: 'UserError', code: 'recovery-words' })
    return error as { message: string; hint: string | undefined }
  }
  throw new Error('expected a refusal')
}

describe('recovery words', () => {
  test('are 24 words that give the same key again', () => {
    const { words, keyPair } = createRecoveryKey(systemRandom, nodePrimitives)
    expect(words.split(' ')).toHaveLength(24)
    expect(read(words)).toEqual(keyPair)
  })

  test('differ each time', () => {
    const words = [1, 2, 3].map(() => createRecoveryKey(systemRandom, nodePrimitives).words)
    expect(new Set(words).size).toBe(3)
  })

  test('stand for a key that no later version may change', () => {
    const { words, keyPair } = createRecoveryKey(fixedRandom, nodePrimitives)
    expect({
      words,
      publicKey: Buffer.from(keyPair.publicKey).toString('hex')
    }).toMatchInlineSnapshot(`
      {
        "publicKey": "9282e7ebfc95e9fbcb380ec01d07f5909b870ec6c503c7838fd6670354e1f832",
        "words": "agree choice donor anxiety expect little beef pass agree choice donor anxiety expect little beef pass agree choice donor anxiety expect little beef sample",
      }
    `)
  })

  test('do not give the seed that a wallet would derive from them', () => {
    const { keyPair } = createRecoveryKey(fixedRandom, nodePrimitives)
    expect(keyPair.privateKey).not.toEqual(fixedRandom.bytes(32))
  })

  test('may be typed in any case, with any space between', () => {
    const { words, keyPair } = createRecoveryKey(systemRandom, nodePrimitives)
    expect(read(`\n ${words.toUpperCase().replaceAll(' ', ' \t\n')} `)).toEqual(keyPair)
  })

  test('name the position of a word that is none, and the word that may be meant', () => {
    const words = createRecoveryKey(fixedRandom, nodePrimitives).words.split(' ')
    const meant = words[6] as string
    words[6] = `${meant.slice(0, 4)}x`
    expect(fault(words.join(' '))).toMatchObject({ message: 'Word 7 is not a recovery word.' })
    words[6] = 'abandom'
    expect(fault(words.join(' ')).hint).toBe('Did you mean "abandon"?')
    words[6] = 'zzzz'
    expect(fault(words.join(' ')).hint).toBe('Compare it with what you wrote down.')
  })

  test('are counted', () => {
    const words = createRecoveryKey(fixedRandom, nodePrimitives).words.split(' ')
    expect(fault(words.slice(1).join(' ')).message).toContain('23 recovery words instead of 24')
    expect(fault([...words, 'zoo'].join(' ')).message).toContain('25 recovery words')
    expect(fault('').message).toContain('0 recovery words')
  })

  test('that are known but do not belong together are refused', () => {
    const words = createRecoveryKey(systemRandom, nodePrimitives).words.split(' ')
    let refused = 0
    for (const word of wordlist.slice(0, 64)) {
      try {
        read([...words.slice(0, 23), word].join(' '))
      } catch {
        refused += 1
      }
    }
    // Eight checksum bits: of 64 last words one in 256 is right by chance.
    expect(refused).toBeGreaterThan(60)
  })
})
