// What each kind of evidence says of a relay, in a sentence.
import type { EvidenceView } from '@kith/node'

export const WORDS: Readonly<Record<EvidenceView['kind'], string>> = {
  heads: 'it signed two logs of one box that cannot both be true',
  receipts: 'it signed two different changes for one epoch of a group'
}
