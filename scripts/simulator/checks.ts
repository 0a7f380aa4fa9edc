// The promises S1 to S9 of delivery, each a named check. S1 to S5 are held against every step and every word to the
// user; S5 to S9 against every look at a list, and at rest.
import type { MessageView, NodeEvent } from '@kith/node'
import type { DeviceId, MessageId } from '@kith/protocols'
import type { DeliveryStep, SimDevice } from './device.ts'
import type { World } from './world.ts'

type MarkWrite = { readonly type: string; readonly id: MessageId }

/** What a step has decided, before any of it happens. */
export function checkStep(world: World, device: SimDevice, step: DeliveryStep): void {
  for (const effect of step.effects) {
    if (effect.type !== 'commit') continue
    for (const write of effect.writes as readonly MarkWrite[]) {
      if (write.type === 'mark') device.held.add(write.id)
    }
  }
  for (const effect of step.effects) {
    if (effect.type !== 'event' || effect.event.type !== 'message') continue
    membersOnly(world, device, step, effect.event.message)
    nothingBefore(world, device, step, effect.event.message)
  }
}

interface Shown {
  readonly id: MessageId
  readonly account: string
  readonly device: string
}

/** S2: whoever wrote it was a member of the epoch that it was written in. */
function membersOnly(world: World, device: SimDevice, { state }: DeliveryStep, shown: Shown): void {
  const written = world.ledger.messages.get(shown.id)
  if (written === undefined) throw world.broken('S2', `${device.name} shows what nobody wrote`)
  const epoch = state.conversations
    .get(written.conversation)
    ?.epochs.find(({ groupId, epoch }) => groupId === written.group && epoch === written.epoch)
  const isMember = epoch?.members.some(
    (one) => one.device === shown.device && one.account === shown.account
  )
  const isAuthor = written.device === shown.device && written.account === shown.account
  if (isMember !== true || !isAuthor) {
    throw world.broken('S2', `${device.name} shows a message of no member of its epoch`)
  }
}

/** S5: everything that a message names is here, or known to be missing. */
function nothingBefore(
  world: World,
  device: SimDevice,
  { state }: DeliveryStep,
  { id }: Shown
): void {
  const written = world.ledger.messages.get(id)
  const conversation = written && state.conversations.get(written.conversation)
  for (const head of written?.heads ?? []) {
    const isKnown = device.held.has(head) || conversation?.missingHeads.includes(head)
    if (isKnown !== true) {
      throw world.broken('S5', `${device.name} shows a message without what it names, or a gap`)
    }
  }
}

/** What a device tells its user, at the moment when it does. */
export function checkTold(world: World, device: SimDevice, event: NodeEvent): void {
  if (event.type !== 'message' && event.type !== 'state') return
  const { message } = event
  world.count(`told ${event.type} ${message.state}`)
  if (message.id === undefined) return
  if (message.path === 'direct') world.count('direct path')
  const author = world.ledger.messages.get(message.id)?.device
  if (event.type === 'message' && author !== device.id) received(world, device, message, message.id)
  if (event.type === 'state') durable(world, device, message, message.id)
}

function received(world: World, device: SimDevice, message: MessageView, id: MessageId): void {
  if (!device.hasDurably(id))
    throw world.broken('S1', `${device.name} shows what is not on its disk`)
  if (device.shown.has(id)) throw world.broken('S3', `${device.name} shows a message twice`)
  device.shown.add(id)
  sameBytes(world, device, message)
  const written = world.ledger.messages.get(id)
  const isBehindGap =
    written !== undefined &&
    written.counter > 1 &&
    !world.ledger.at(written.device, written.counter - 1).some((one) => device.held.has(one))
  if (isBehindGap) world.spawn(look(world, device))
}

/** S1: accepted is on the disks of as many relays, delivered is on a disk of the recipient. */
function durable(
  world: World,
  device: SimDevice,
  { state, path, relays }: MessageView,
  id: MessageId
): void {
  const holding = world.relays.filter((relay) => relay.hasDurably(id)).length
  if (state === 'accepted' && path === 'relay' && holding < relays) {
    throw world.broken('S1', `${device.name} says accepted, and the relay's disk lacks it`)
  }
  const others = world.devices.filter(({ account }) => account !== device.account)
  if (state === 'delivered' && !others.some((other) => other.hasDurably(id))) {
    throw world.broken('S1', `${device.name} says delivered, and no disk of the recipient has it`)
  }
}

/** S4: shown as it was written. */
function sameBytes(world: World, device: SimDevice, { id, text }: MessageView): void {
  const written = id && world.ledger.messages.get(id)
  if (written !== undefined && written.text !== text) {
    throw world.broken('S4', `${device.name} shows "${text}", and "${written.text}" was written`)
  }
}

/** What a list shows now, held against what was written, sent from here and shown before. */
export async function look(world: World, device: SimDevice): Promise<void> {
  // Steps go on while the list is read.
  const before = new Set(device.held)
  const listed = await device.list()
  if (listed === undefined) return
  const { messages, gaps } = listed
  world.count('look')
  for (const message of messages) sameBytes(world, device, message)
  once(world, device, messages)
  inOrder(world, device, messages)
  everyGap(world, device, { before, gaps })
  ownAndSeen(world, device, messages)
}

function once(world: World, device: SimDevice, messages: readonly MessageView[]): void {
  const texts = new Set(messages.map(({ text }) => text))
  if (texts.size < messages.length) throw world.broken('S3', `${device.name} lists a message twice`)
}

/** S6: what one device wrote stands in the order in which it wrote. */
function inOrder(world: World, device: SimDevice, messages: readonly MessageView[]): void {
  const last = new Map<string, number>()
  for (const { id } of messages) {
    const written = id && world.ledger.messages.get(id)
    if (written === undefined) continue
    if (written.counter <= (last.get(written.device) ?? 0)) {
      throw world.broken('S6', `${device.name} lists messages of one sender out of order`)
    }
    last.set(written.device, written.counter)
  }
}

type Gaps = NonNullable<Awaited<ReturnType<SimDevice['list']>>>['gaps']

/** S7: a counter that is missing below one that was here `before` is told as a gap. */
function everyGap(
  world: World,
  device: SimDevice,
  { before, gaps }: { before: ReadonlySet<MessageId>; gaps: Gaps }
): void {
  const newest = new Map<DeviceId, number>()
  for (const id of before) {
    const written = world.ledger.messages.get(id)
    if (written === undefined || written.device === device.id) continue
    newest.set(written.device, Math.max(newest.get(written.device) ?? 0, written.counter))
  }
  for (const [sender, last] of newest) {
    for (let counter = 1; counter < last; counter += 1) {
      if (world.ledger.at(sender, counter).some((id) => device.held.has(id))) continue
      world.count('gap')
      const isTold = gaps.some(
        ({ missing }) =>
          'device' in missing &&
          missing.device === sender &&
          missing.from <= counter &&
          counter <= missing.to
      )
      if (!isTold) throw world.broken('S7', `${device.name} does not tell of a gap`)
    }
  }
}

/** S8: what was taken here is listed here. S9: what was ever shown stays listed. */
function ownAndSeen(world: World, device: SimDevice, messages: readonly MessageView[]): void {
  const texts = new Set(messages.map(({ text }) => text))
  for (const { text, taken } of device.sent) {
    if (taken && !texts.has(text)) throw world.broken('S8', `${device.name} lost what it took`)
  }
  const ids = new Set(messages.map(({ id }) => id))
  for (const id of [...device.shown, ...device.listed]) {
    if (!ids.has(id)) throw world.broken('S9', `${device.name} no longer lists what it showed`)
  }
  for (const { id } of messages) if (id !== undefined) device.listed.add(id)
}
