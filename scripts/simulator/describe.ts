// Where every device stands, in words: what a world that does not come to rest is explained by.
import type { DeviceId } from '@kith/protocols'
import type { SimDevice } from './device.ts'
import type { World } from './world.ts'

type Ranges = readonly { readonly from: number; readonly to: number }[]
type Conversation =
  NonNullable<SimDevice['state']>['conversations'] extends ReadonlyMap<unknown, infer State>
    ? State
    : never

const shortGroup = (groupId: string): string => groupId.slice(0, 6)

/** Groups, epochs, counters and what waits, a few lines for each device. */
export function describeDevices({ devices }: World): string {
  const names = new Map(devices.map(({ id, name }) => [id, name]))
  return devices.map((device) => describe(device, names)).join('\n')
}

function describe({ name, state }: SimDevice, names: ReadonlyMap<DeviceId, string>): string {
  if (state === undefined) return `${name} does not run`
  const counters = (map: ReadonlyMap<DeviceId, Ranges>): string =>
    [...map]
      .map(
        ([device, ranges]) =>
          `${names.get(device)} ${ranges.map(({ from, to }) => `${from}-${to}`)}`
      )
      .join(', ')
  const lines = [...state.conversations.values()].flatMap((conversation) => [
    `  ${conversation.phase}, groups ${groupsOf(conversation)}`,
    `  epochs ${epochsOf(conversation, names)}`,
    `  received ${counters(conversation.received)}; delivered ${counters(conversation.delivered)}`,
    `  joined ${conversation.joined?.devices.map((device) => names.get(device)).join(', ') ?? 'nobody'}`
  ])
  const outbox = [...state.outbox.values()].map(
    ({ kind, text, acceptedBy, deliveredBy }) =>
      `${kind} "${text.slice(0, 12)}" at ${acceptedBy.length} relays, ${deliveredBy ?? 'not delivered'}`
  )
  const waiting = `${state.waiting.length} envelopes of unknown epochs`
  return [name, ...lines, `  outbox [${outbox.join('; ')}], ${waiting}`].join('\n')
}

const groupsOf = ({ incarnations }: Conversation): string =>
  incarnations
    .map(({ groupId, epoch, isOver }) => `${shortGroup(groupId)}@${epoch}${isOver ? ' over' : ''}`)
    .join(', ')

const epochsOf = ({ epochs }: Conversation, names: ReadonlyMap<DeviceId, string>): string =>
  epochs
    .map(
      ({ groupId, epoch, members }) =>
        `${shortGroup(groupId)}@${epoch} of ${members.map(({ device }) => names.get(device)).join(' ')}`
    )
    .join(' | ')
