// Every command of `kith`, in the order of the help.
import type { Command } from '../command.ts'
import { accountCreate } from './account/create.ts'
import { accountShow } from './account/show.ts'
import { chat } from './chat.ts'
import { completion } from './completion.ts'
import { configShow } from './config/show.ts'
import { consumerConfirm } from './consumer/confirm.ts'
import { consumerForget } from './consumer/forget.ts'
import { consumerList } from './consumer/list.ts'
import { contactAccept } from './contact/accept.ts'
import { contactAdd } from './contact/add.ts'
import { contactBlock, contactUnblock } from './contact/block.ts'
import { contactIgnore } from './contact/ignore.ts'
import { contactList } from './contact/list.ts'
import { contactRequests } from './contact/requests.ts'
import { contactVerify } from './contact/verify.ts'
import { daemon } from './daemon.ts'
import { deviceAdd } from './device/add.ts'
import { deviceLink } from './device/link.ts'
import { deviceList } from './device/list.ts'
import { deviceRemove } from './device/remove.ts'
import { deviceRename } from './device/rename.ts'
import { events } from './events.ts'
import { evidenceCheck } from './evidence/check.ts'
import { evidenceExport } from './evidence/export.ts'
import { evidenceList } from './evidence/list.ts'
import { idParse } from './id/parse.ts'
import { messageList } from './message/list.ts'
import { messageSend } from './message/send.ts'
import { messageWatch } from './message/watch.ts'
import { openrpc } from './openrpc.ts'
import { tui } from './tui.ts'

export const COMMANDS: readonly Command[] = [
  accountCreate,
  accountShow,
  deviceAdd,
  deviceLink,
  deviceList,
  deviceRename,
  deviceRemove,
  contactAdd,
  contactList,
  contactRequests,
  contactAccept,
  contactIgnore,
  contactBlock,
  contactUnblock,
  contactVerify,
  messageSend,
  messageList,
  messageWatch,
  chat,
  tui,
  events,
  consumerList,
  consumerConfirm,
  consumerForget,
  daemon,
  openrpc,
  evidenceList,
  evidenceExport,
  evidenceCheck,
  idParse,
  configShow,
  completion
]

/** What each noun is about, for its line in the help. */
export const NOUNS: Readonly<Record<string, string>> = {
  account: 'Your account on this machine',
  device: 'The devices of your account',
  contact: 'The people you talk to',
  message: 'Send, list and follow messages',
  consumer: 'Programs that read events, and how far each has got',
  evidence: 'What relays signed and contradicted',
  id: 'What links and ids say',
  config: 'The settings of kith itself'
}
