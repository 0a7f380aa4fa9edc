// The file that a proof is handed on in: JSON with the relay and the two statements, and nothing about who found it.
import type { EvidenceView } from '@kith/node'
import { KIB, parseRelayId } from '@kith/protocols'
import { CommandError } from '../../errors.ts'
import { WORDS } from './words.ts'

const VERSION = 1
/** Two statements of at most 2 KiB in base64, and room for line breaks; a file may come from anybody. */
export const EVIDENCE_FILE_BYTES_MAX = 16 * KIB

export interface EvidenceFile extends Pick<EvidenceView, 'relay' | 'kind' | 'statements'> {
  /** Version of this form. */
  readonly kithEvidence: typeof VERSION
}

export function formatEvidence({ relay, kind, statements }: EvidenceView): EvidenceFile {
  return { kithEvidence: VERSION, relay, kind, statements }
}

/** Throws `malformed` for whatever is not the form; whether it proves anything is another question. */
export function parseEvidence(text: string): EvidenceFile {
  try {
    const { kithEvidence, relay, kind, statements } = JSON.parse(text) as Record<string, unknown>
    const isForm =
      kithEvidence === VERSION &&
      typeof relay === 'string' &&
      typeof kind === 'string' &&
      Object.hasOwn(WORDS, kind) &&
      Array.isArray(statements) &&
      statements.length === 2 &&
      statements.every((statement) => typeof statement === 'string')
    if (!isForm) throw new Error('another form')
    return {
      kithEvidence,
      relay: parseRelayId(relay),
      kind: kind as EvidenceView['kind'],
      statements: statements as unknown as EvidenceView['statements']
    }
  } catch (cause) {
    throw new CommandError('malformed', 'This is no evidence, or it was changed on the way.', {
      hint: 'kith evidence export <number>, and hand it on unchanged',
      cause
    })
  }
}
