// While a run lasts, the product's own code may reach no clock, timer or chance but those it was given: whoever
// tries is stopped, wherever it happens. Everything else in the process goes on.

const OWN = /\/(?:node|relay|protocols)\/(?:src|dist)\//

interface Ambient {
  readonly of: object
  readonly name: string
}

const AMBIENT: readonly Ambient[] = [
  { of: Date, name: 'now' },
  { of: Math, name: 'random' },
  { of: performance, name: 'now' },
  { of: globalThis, name: 'setTimeout' },
  { of: globalThis, name: 'setInterval' },
  { of: globalThis, name: 'setImmediate' },
  { of: globalThis, name: 'queueMicrotask' },
  { of: crypto, name: 'getRandomValues' }
]

type AnyFunction = (...values: unknown[]) => unknown

/** Until the returned function is called. */
export function forbidAmbient(): () => void {
  const undo = AMBIENT.map(({ of, name }) => {
    const real = Reflect.get(of, name) as AnyFunction
    const own = Object.getOwnPropertyDescriptor(of, name)
    const stub = function (this: unknown, ...values: unknown[]): unknown {
      if (OWN.test(new Error(name).stack ?? '')) {
        throw new Error(`the product reached ${name} by itself`)
      }
      return Reflect.apply(real, this, values)
    }
    Object.defineProperty(of, name, { value: stub, configurable: true, writable: true })
    return () => {
      if (own === undefined) Reflect.deleteProperty(of, name)
      else Object.defineProperty(of, name, own)
    }
  })
  return () => {
    for (const restore of undo) restore()
  }
}
