// Every codec of the package under a name, with its byte limit and the message of the .proto it was made from.
import * as protocols from '@kith/protocols'
import { type Codec, DATA_CODECS, PROTOCOLS } from '@kith/protocols'
import { readSchemas, type Schema } from './proto-schema.ts'

export interface NamedCodec {
  /** `box-append request`, `envelope` */
  readonly name: string
  // biome-ignore lint/suspicious/noExplicitAny: codecs of every message type
  readonly codec: Codec<any>
  readonly bytesMax: number
  readonly schema: Schema
  /** Name of the message in the schema. */
  readonly message: string
}

const FOLDERS: Readonly<Record<string, object>> = {
  box: protocols.box,
  direct: protocols.direct,
  envelope: protocols.envelope,
  frame: protocols.frame,
  identity: protocols.identity,
  'key-packages': protocols.keyPackages,
  linking: protocols.linking,
  exchange: protocols.linking,
  sequencer: protocols.sequencer
}

/** `/kith/box/append/1.0.0` → `box-append` */
function protocolName(id: string): string {
  return id.split('/').slice(2, 4).join('-')
}

/** All codecs of one protocol with the limit of each. */
function codecsOf(protocol: (typeof PROTOCOLS)[number]): [string, Codec<unknown>, number][] {
  return protocol.kind === 'request'
    ? [
        ['request', protocol.request, protocol.limits.requestBytes],
        ['response', protocol.response, protocol.limits.responseBytes]
      ]
    : [
        ['request', protocol.request, protocol.limits.requestBytes],
        ['item', protocol.item, protocol.limits.itemBytes],
        ['acknowledgement', protocol.acknowledgement, protocol.limits.acknowledgementBytes]
      ]
}

export function allCodecs(): NamedCodec[] {
  const schemas = readSchemas()
  const locate = (codec: Codec<unknown>): Pick<NamedCodec, 'schema' | 'message'> => {
    for (const [folder, exports] of Object.entries(FOLDERS)) {
      const found = Object.entries(exports).find(([, value]) => value === codec)
      const schema = schemas.get(folder)
      if (found !== undefined && schema?.messages.has(found[0])) {
        return { schema, message: found[0] }
      }
    }
    throw new Error('a codec whose .proto is not known; add its folder here')
  }
  const ofProtocols = PROTOCOLS.flatMap((protocol) =>
    codecsOf(protocol).map(([part, codec, bytesMax]) => ({
      name: `${protocolName(protocol.id)} ${part}`,
      codec,
      bytesMax,
      ...locate(codec)
    }))
  )
  const ofData = DATA_CODECS.map((data) => ({ ...data, ...locate(data.codec) }))
  return [...ofProtocols, ...ofData]
}
