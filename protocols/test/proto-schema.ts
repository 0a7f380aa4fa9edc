// Reads the .proto files of this package: enough of the language to know the fields of every message, so that
// tests cover a new message the moment it exists.
import { globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Field {
  readonly name: string
  readonly type: string
  readonly number: number
  readonly repeated: boolean
  readonly optional: boolean
  /** Largest number of elements of a repeated field. */
  readonly elementsMax: number | undefined
  readonly oneof: string | undefined
}

export interface Schema {
  readonly messages: ReadonlyMap<string, readonly Field[]>
  readonly enums: ReadonlyMap<string, readonly string[]>
}

const source = join(dirname(fileURLToPath(import.meta.url)), '..', 'src')

/** Folder name (`box`) to the messages and enums its .proto declares. */
export function readSchemas(): ReadonlyMap<string, Schema> {
  return new Map(
    globSync('*/pb/*.proto', { cwd: source }).map((file) => [
      basename(file, '.proto'),
      parseSchema(readFileSync(join(source, file), 'utf8'))
    ])
  )
}

const FIELD =
  /^(?:(repeated|optional) )?(\w+) (\w+) = (\d+)(?: \[(?:\(protons\.options\)\.limit = (\d+)|jstype = JS_NUMBER)\])?;$/

/** Throws for any line it does not understand, so that nothing is left out silently. */
function parseSchema(text: string): Schema {
  const messages = new Map<string, Field[]>()
  const enums = new Map<string, string[]>()
  let fields: Field[] = []
  let values: string[] | undefined
  let oneof: string | undefined
  for (const raw of text.split('\n')) {
    const line = raw.replace(/\/\/.*$/, '').trim()
    const block = /^(message|enum|oneof) (\w+) \{(\})?$/.exec(line)
    const [, kind, name = '', closed] = block ?? []
    const value = /^(\w+) = \d+;$/.exec(line)
    const field = FIELD.exec(line)
    if (kind === 'message') {
      fields = []
      messages.set(name, fields)
    } else if (kind === 'enum') {
      values = []
      enums.set(name, values)
    } else if (kind === 'oneof') {
      oneof = name
    } else if (line === '}') {
      if (oneof === undefined) {
        values = undefined
      }
      oneof = undefined
    } else if (values !== undefined && value !== null) {
      values.push(value[1] as string)
    } else if (field !== null) {
      fields.push(fieldOf(field, oneof))
    } else if (line !== '' && line !== 'syntax = "proto3";') {
      throw new Error(`not understood in a .proto file: ${line}`)
    }
    if (closed !== undefined && kind !== 'message') {
      throw new Error(`empty ${kind} ${name}`)
    }
  }
  return { messages, enums }
}

function fieldOf(match: RegExpExecArray, oneof: string | undefined): Field {
  const [, rule, type = '', name = '', number = '', limit] = match
  return {
    name,
    type,
    number: Number(number),
    repeated: rule === 'repeated',
    optional: rule === 'optional',
    elementsMax: limit === undefined ? undefined : Number(limit),
    oneof
  }
}
