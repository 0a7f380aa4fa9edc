// What the methods are, for programs: an OpenRPC document (https://spec.open-rpc.org, 1.3), made of the same tables that
// carry the requests out.
import type { ArgumentSpec, Command, CommandTable, OptionSpec } from '../command.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { isFlag, optionKey, STDIN } from './command-input.ts'
import { commandMethods } from './command-methods.ts'
import { RPC_ERROR } from './json-rpc.ts'
import { METHODS, type Method, type ParamSpec } from './methods.ts'

interface Parameter {
  readonly name: string
  readonly summary?: string
  readonly required: boolean
  readonly schema: object
}

const ERRORS = [
  { code: RPC_ERROR.parse, message: 'not JSON' },
  { code: RPC_ERROR.invalidRequest, message: 'not a request with named parameters' },
  { code: RPC_ERROR.methodNotFound, message: 'there is no such method' },
  { code: RPC_ERROR.invalidParams, message: 'wrong parameters; data.code is usage or malformed' },
  {
    code: RPC_ERROR.failure,
    message: 'failed; data.code says why, as the errors of the commands do'
  },
  { code: RPC_ERROR.closing, message: 'the process is ending; the request was not carried out' },
  { code: RPC_ERROR.overloaded, message: 'too many clients' }
]

/** The document; `rpc.discover` answers it, and `kith openrpc` prints it. */
export function describeMethods(table: CommandTable): object {
  const commands = [...commandMethods(table)].map(([name, command]) => ofCommand(name, command))
  const calls = [...METHODS].map(([name, method]) => ofCall(name, method))
  return {
    openrpc: '1.3.2',
    info: {
      title: 'Kith',
      version: '1',
      description:
        'Methods with a dot are the commands of kith, with the same arguments and options; the others are the calls ' +
        'that its own user interfaces use. Parameters are named. Exit codes of commands: ' +
        EXIT_CODES.map(({ code, meaning }) => `${code} ${meaning}`).join('; ')
    },
    methods: [...commands, ...calls],
    components: { errors: ERRORS }
  }
}

function ofCommand(name: string, command: Command): object {
  return {
    name,
    summary: command.summary,
    description: command.description.replace(/(?<!\n)\n(?!\n)/g, ' '),
    paramStructure: 'by-name',
    params: [
      ...command.arguments.map(ofArgument),
      ...command.options.map(ofOption),
      { name: STDIN, summary: 'what standard input would bring', required: false, schema: TEXT }
    ],
    result: {
      name: 'result',
      schema: command.result === 'list' ? { type: 'array' } : {}
    }
  }
}

const TEXT = { type: 'string' }

const textOf = (choices: readonly string[] | undefined): object =>
  choices === undefined ? TEXT : { type: 'string', enum: choices }

function ofArgument({ name, summary, optional, variadic, choices }: ArgumentSpec): Parameter {
  const one = textOf(choices)
  const schema = variadic === true ? { oneOf: [one, { type: 'array', items: one }] } : one
  return { name, summary, required: optional !== true, schema }
}

function ofOption(spec: OptionSpec): Parameter {
  const { range, choices, summary, mandatory } = spec
  const number = { type: 'integer', minimum: range?.min, maximum: range?.max }
  const value = range === undefined ? textOf(choices) : number
  const schema = isFlag(spec) ? { type: 'boolean' } : value
  return { name: optionKey(spec), summary, required: mandatory === true, schema }
}

function ofCall(name: string, { summary, params }: Method): object {
  return {
    name,
    summary,
    paramStructure: 'by-name',
    params: Object.entries(params).map(([key, spec]) => ofParam(key, spec)),
    result: { name: 'result', schema: {} }
  }
}

function ofParam(name: string, { kind, optional, min, max }: ParamSpec): Parameter {
  const required = optional !== true
  if (kind === 'flag') return { name, required, schema: { type: 'boolean' } }
  if (kind === 'number') {
    return { name, required, schema: { type: 'integer', minimum: min, maximum: max } }
  }
  return { name, required, schema: TEXT }
}
