// Worker: one messenger with an account of its own, that sends texts and notes when it shows those of others.
import type { NodeEvent } from '@kith/node'
import { createAccount, type Messenger, openMessenger } from '@kith/node/host'
import { silentLog } from '@kith/node/kernel'
import { BODY_BYTES } from '../body.ts'
import { PAUSE_MS, type SendOrder, type Sent, type Shown, sharedNow } from '../measure/one-way.ts'
import { serveCommands } from './serve.ts'

let messenger: Messenger
const shown: Shown[] = []
const delivered = new Map<string, () => void>()

async function follow(): Promise<void> {
  for await (const event of messenger.events(new AbortController().signal)) note(event)
}

function note(event: NodeEvent): void {
  if (event.type === 'message' && !event.message.outgoing) {
    shown.push({ text: event.message.text, atMs: sharedNow(), path: event.message.path ?? '' })
  }
  if (event.type === 'state' && event.message.state === 'delivered') {
    delivered.get(event.message.text)?.()
  }
}

serveCommands({
  /** Makes the account and opens it; resolves to its link with this device's addresses. */
  async open({ home, relay, name }: { home: string; relay: string; name: string }) {
    await createAccount({ home, relay, name, log: silentLog })
    messenger = await openMessenger({ home, log: silentLog })
    void follow()
    const { directLink } = await messenger.account()
    return directLink
  },
  async befriend({ link }: { link: string }) {
    await messenger.addContact({ link })
  },
  /** One message at a time: the next once a device of the recipient has this one, and a pause later. */
  async send({ to, texts }: SendOrder) {
    const sent: Sent[] = []
    for (const name of texts) {
      const text = name.padEnd(BODY_BYTES, 'x')
      const done = new Promise<void>((resolve) => delivered.set(text, resolve))
      sent.push({ text, atMs: sharedNow() })
      await messenger.sendMessage({ to, text })
      await done
      delivered.delete(text)
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
    return sent
  },
  async shown() {
    return shown.splice(0)
  }
})

// By itself, so that a processor profile is written.
process.on('SIGTERM', () => process.exit(0))
