// Checks of what product code touches: time and chance only in the kernel, pure state files pure, Node only
// behind *.node.ts, no silenced rule, no private field in a log of the relay.
import {
  type Finding,
  findAll,
  isProductSource,
  type SourceFile,
  withoutComments
} from './finding.ts'

const KERNEL = /^node\/src\/kernel\//
const CLOCKED = /^(?:protocols|node|relay)\/src\//

const AMBIENT = [
  { pattern: /\bDate\.now\b/g, message: 'Date.now outside the kernel: take a Clock' },
  { pattern: /\bnew Date\(\s*\)/g, message: 'the time of day outside the kernel: take a Clock' },
  { pattern: /\bAbortSignal\.timeout\b/g, message: 'a timer outside the kernel: take a Clock' },
  { pattern: /\bMath\.random\b/g, message: 'Math.random outside the kernel: take a Random' },
  {
    pattern:
      /\bcrypto\s*\.\s*(?:getRandomValues|random\w+)|\{[^{}]*\brandom\w+[^{}]*\}\s*from\s*['"]node:crypto['"]/g,
    message: 'randomness outside the kernel: take a Random'
  },
  { pattern: /\bcreateLibp2p\b/g, message: 'createLibp2p outside the kernel' }
]

/** Only the kernel calls the clock, chance and libp2p, so that any run can be replayed. */
export function asksTheKernel({ path, text }: SourceFile): Finding[] {
  if (!isProductSource(path) || !CLOCKED.test(path) || KERNEL.test(path)) return []
  const code = withoutComments(text)
  return AMBIENT.flatMap((rule) => findAll(path, code, rule))
}

const IMPURE = [
  {
    pattern:
      /^(?:import|export)\b[^'"]*?from\s+['"][^'"]*\/(?:clock|random|rpc|streams|queue|retry|libp2p|log|metrics|lifecycle)(?:\.node)?\.ts['"]/gm,
    message: 'a state file imports what decides nothing: time, chance, network and logs are effects'
  },
  {
    pattern:
      /^(?:import|export)\b(?!\s+type\s+\{\s*Write\s*\})[^'"]*?from\s+['"][^'"]*\/store(?:\/[\w.-]+)?\.ts['"]/gm,
    message: 'a state file imports a store; of it only the type Write is data'
  },
  {
    pattern: /\b(?:Clock|systemClock|Random|systemRandom|Store|Network|Rpc|Log)\b/g,
    message: 'a state file names a clock, chance, store, network or log'
  },
  {
    pattern: /\b(?:async|await|Promise)\b/g,
    message: 'a state file waits: a decision is synchronous'
  }
]

/** `state.ts` decides and does nothing else. */
export function keepsStatePure({ path, text }: SourceFile): Finding[] {
  if (!isProductSource(path) || !/\/(?:[\w-]+-)?state\.ts$/.test(path)) return []
  const code = withoutComments(text)
  return IMPURE.flatMap((rule) => findAll(path, code, rule))
}

const NODE_ONLY = /(?:\.node\.ts$|^node\/src\/(?:host|kernel\/host)\/)/

/** Code that runs in a browser too does not reach a file that runs in Node only. */
export function keepsBrowserSafe({ path, text }: SourceFile): Finding[] {
  if (!/^(?:node|protocols)\/src\//.test(path) || NODE_ONLY.test(path)) return []
  return findAll(path, withoutComments(text), {
    pattern: /(?:from|import)\s*\(?\s*['"](?:[^'"]*\.node\.ts|\.[^'"]*\/host\/[^'"]*)['"]/g,
    message: 'reaches a Node-only file: only *.node.ts files and host folders may'
  })
}

const SILENCERS = [
  { pattern: /^\s*(?:\/\/|\/\*)\s*@ts-(?:ignore|nocheck)\b/gm, message: 'silences the compiler' },
  {
    pattern:
      /biome-ignore(?:-\w+)? lint(?=[:\s])|biome-ignore\S*\s+lint\/(?:style\/noRestricted(?:Imports|Globals)|correctness\/noNodejsModules)/g,
    message: 'silences an import arrow'
  }
]

/** No comment switches off the compiler or an import arrow. */
export function silencesNothing({ path, text }: SourceFile): Finding[] {
  if (!/\.(?:tsx?|js)$/.test(path) || /\/pb\//.test(path)) return []
  return SILENCERS.flatMap((rule) => findAll(path, text, rule))
}

/** The linter does not see `import('…')` where a type stands, so arrows could be passed there. */
export function importsInSight({ path, text }: SourceFile): Finding[] {
  if (!isProductSource(path)) return []
  return findAll(path, withoutComments(text), {
    pattern: /(?<!\bawait )\bimport\(/g,
    message: 'an import where no linter looks: "import type" at the top, or "await import()"'
  })
}

const PRIVATE_FIELD = /\b(?:account|device|address|addresses|peer)(?:Id)?\s*(?=[:,}])/

/** Above debug a relay logs nothing that says who: no account, device, address or peer. */
export function logsNobody({ path, text }: SourceFile): Finding[] {
  if (!/^relay\/src\//.test(path)) return []
  const code = withoutComments(text)
  const calls = code.matchAll(/\blog\s*\.(?:info|warn|error)\s*\(([^()]*(?:\([^()]*\)[^()]*)*)\)/g)
  return [...calls]
    .filter(([, fields]) => PRIVATE_FIELD.test((fields ?? '').replace(/'[^'\n]*'/g, "''")))
    .flatMap((call) =>
      findAll(path, code.slice(0, call.index + 1), {
        pattern: /.$/g,
        message: 'logs who above debug: a relay keeps no such record'
      })
    )
}

/** No test is left out, none runs alone. */
export function runsEveryTest({ path, text }: SourceFile): Finding[] {
  if (!/\/test\//.test(path)) return []
  return findAll(path, withoutComments(text), {
    pattern: /\b(?:test|it|describe)\.(?:only|skip|todo|fails)\b/g,
    message: 'a test is left out or runs alone'
  })
}
