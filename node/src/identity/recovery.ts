// Recovery words: 24 English words (BIP39, 256 bits and a checksum) that give the account's recovery key, the
// one that outranks every device. They are shown once and stored nowhere.
import { entropyToMnemonic, mnemonicToEntropy } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { UserError } from '../api.ts'
import type { KeyPair, Primitives } from '../kernel/primitives.ts'
import type { Random } from '../kernel/random.ts'
import { RECOVERY_KEY_LABEL } from './labels.ts'

export const RECOVERY_WORDS = 24
const ENTROPY_BYTES = 32
const SEED_BYTES = 32
const NO_SALT = new Uint8Array(0)
/** BIP39 chooses the words so that this many letters tell them apart. */
const UNIQUE_LETTERS = 4

const known = new Set(wordlist)

export interface RecoveryKey {
  /** 24 words, separated by single spaces. */
  readonly words: string
  readonly keyPair: KeyPair
}

/** Says which word is meant, from its first letters: a slip of the pen rarely touches them. */
function hintFor(word: string): string {
  const start = word.slice(0, UNIQUE_LETTERS)
  const near = wordlist.find((candidate) => candidate.startsWith(start))
  return near === undefined ? 'Compare it with what you wrote down.' : `Did you mean "${near}"?`
}

function requireWords(words: readonly string[]): void {
  const wrong = words.findIndex((word) => !known.has(word))
  if (wrong >= 0) {
    throw new UserError('recovery-words', `Word ${wrong + 1} is not a recovery word.`, {
      hint: hintFor(words[wrong] as string)
    })
  }
  if (words.length !== RECOVERY_WORDS) {
    throw new UserError(
      'recovery-words',
      `There are ${words.length} recovery words instead of ${RECOVERY_WORDS}.`,
      { hint: 'Type all of them, in order, with spaces between.' }
    )
  }
}

function keyFromEntropy(entropy: Uint8Array, primitives: Primitives): KeyPair {
  return primitives.keyPair(primitives.hkdf(entropy, NO_SALT, RECOVERY_KEY_LABEL, SEED_BYTES))
}

/** A new recovery key with the words that give it. */
export function createRecoveryKey(random: Random, primitives: Primitives): RecoveryKey {
  const entropy = random.bytes(ENTROPY_BYTES)
  return {
    words: entropyToMnemonic(entropy, wordlist),
    keyPair: keyFromEntropy(entropy, primitives)
  }
}

/**
 * The recovery key that the words stand for. Case and the space between words do not matter.
 * @throws UserError `recovery-words`, naming the position of the first word that is none, or saying that the
 *   words, all of them known, do not belong together in this order
 */
export function recoveryKeyFromWords(words: string, primitives: Primitives): KeyPair {
  const list = words
    .normalize('NFKD')
    .toLowerCase()
    .split(/\s+/u)
    .filter((word) => word !== '')
  requireWords(list)
  let entropy: Uint8Array
  try {
    entropy = mnemonicToEntropy(list.join(' '), wordlist)
  } catch (cause) {
    throw new UserError('recovery-words', 'The recovery words do not belong together.', {
      hint: 'All 24 are known words, but one is another than you wrote down, or two are swapped.',
      cause
    })
  }
  return keyFromEntropy(entropy, primitives)
}
