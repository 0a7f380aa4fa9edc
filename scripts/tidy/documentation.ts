// Checks of what a file says about itself: its opening comment, the docstrings of what it exports, open ends.
import {
  type Finding,
  findAll,
  isGenerated,
  isProductSource,
  lineAt,
  type SourceFile
} from './finding.ts'

const CODE = /\.(ts|js|mjs)$/

/** Every file of code opens by saying what it is; of a test, the names of its cases do. */
export function opensWithComment({ path, text }: SourceFile): Finding[] {
  if (!CODE.test(path) || isGenerated(path) || path.endsWith('.test.ts')) return []
  const start = text.replace(/^#![^\n]*\n/, '').trimStart()
  if (start.startsWith('//') || start.startsWith('/*')) return []
  return [{ path, line: 1, message: 'opens without a comment: say in 1 to 3 sentences what it is' }]
}

const EXPORTED_FUNCTION = /^export (?:async )?function\*? (\w+)/gm
const EXPORTED_ARROW =
  /^export const (\w+)(?::[^=\n]*)? = (?:async )?(?:<[^>\n]*>)?\([^()]*(?:\([^()]*\)[^()]*)*\)[^=;{]*=>\s*\{/gm

/**
 * Every function that protocols, node or relay export says what it does. An arrow of one expression is its own
 * description.
 */
export function documentsExports({ path, text }: SourceFile): Finding[] {
  if (!isProductSource(path) || path.startsWith('cli/')) return []
  return [...text.matchAll(EXPORTED_FUNCTION), ...text.matchAll(EXPORTED_ARROW)]
    .filter((match) => !isDocumented(text.slice(0, match.index)))
    .map((match) => ({
      path,
      line: lineAt(text, match.index),
      message: `${match[1]} is exported without a docstring: what it does, shapes, units, errors`
    }))
}

/** The text before a declaration ends in a doc comment, or in an overload of the same function. */
function isDocumented(before: string): boolean {
  const last = before.trimEnd().split('\n').at(-1) ?? ''
  return last.endsWith('*/') || /^export (?:async )?function [^{]*$/.test(last)
}

/** An open end names the issue that closes it. */
export function namesIssues({ path, text }: SourceFile): Finding[] {
  const pattern = /\b(?:TODO|FIXME|XXX|HACK)\b(?!\(#\d+\):)/g
  return findAll(path, text, { pattern, message: 'an open end needs its issue: TO' + 'DO(#12): …' })
}

/** The text is about the product: never about the machine or the making of it. */
export function staysOnSubject({ path, text }: SourceFile): Finding[] {
  const isTest = /\/test\//.test(path)
  return [
    ...findAll(path, text, {
      pattern: /\b(?:co-authored-by|generated (?:by|with|using)|assisted by)\b(?! "?npm run)/gi,
      message: 'says how it was made; the text is about what it is'
    }),
    ...findAll(path, isTest ? '' : text, {
      pattern: /(?<![\w.])\/(?:home|Users|root|work)\/[\w.-]+/g,
      message: 'holds a path of one machine'
    })
  ]
}
