// What a command gets of its arguments and options, whether they came as words or as named parameters.
import type { Input } from './command.ts'

/** Values by name of argument, or by key of option. */
export function inputOf(values: ReadonlyMap<string, unknown>): Input {
  const get = (key: string): unknown => {
    if (!values.has(key)) throw new Error(`the command declares no ${key}`)
    return values.get(key)
  }
  return {
    text: (key) => String(get(key)),
    list: (key) => (get(key) as readonly string[] | undefined) ?? [],
    option: (key) => get(key) as string | undefined,
    number: (key) => get(key) as number | undefined,
    flag: (key) => get(key) === true
  }
}
