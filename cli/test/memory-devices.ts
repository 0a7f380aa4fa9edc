// Devices of a person in memory, and links between two commands of a test: the conversation of the two devices is
// left out, what each user sees and answers is not.
import { type DevicesApi, type DeviceView, type LinkView, UserError } from '@kith/node'
import type { DeviceId } from '@kith/protocols'
import type { Engine } from '../src/engine.ts'
import type { MemoryPerson } from './memory-engine.ts'

export const EMOJI = ['dog', 'key', 'moon', 'ship', 'bell', 'cake'].map((name, index) => ({
  symbol: ['🐶', '🔑', '🌙', '🚢', '🔔', '🎂'][index] as string,
  name
}))
const NEW_DEVICE = '12D3KooWBmAwcd4PJNJvfV89HwE48nwkRmAgo8Vy3uQEyNNHBox2' as DeviceId

interface Link {
  readonly person: MemoryPerson
  /** What the old device's user says. */
  readonly answered: Promise<boolean>
  readonly answer: (isSame: boolean) => void
  readonly emit: (link: LinkView) => void
}

/** Links that wait, by code. */
export class MemoryLinks {
  private readonly waiting = new Map<string, Link>()
  private count = 0

  devicesOf(person: MemoryPerson): DevicesApi {
    const devices: DeviceView[] = [
      { device: person.view().device, name: 'laptop', addedAtMs: 0, isThis: true }
    ]
    const find = (who: string): DeviceView => {
      const found = devices.find((one) => one.name === who || one.device === who)
      if (found !== undefined) return found
      throw new UserError('unknown-device', `Your account has no device called "${who}".`)
    }
    let current: Link | undefined
    const emit = (link: LinkView) => {
      if (link.state === 'linked') {
        devices.push({ device: link.device, name: link.name, addedAtMs: 0, isThis: false })
      }
      person.emit({ type: 'link', link })
    }
    return {
      listDevices: async () => devices,
      async renameDevice({ device, name }) {
        const renamed = { ...find(device), name }
        devices.splice(devices.indexOf(find(device)), 1, renamed)
        return renamed
      },
      async removeDevice({ device }) {
        const found = find(device)
        if (found.isThis) throw new UserError('own-device', 'A device does not remove itself.')
        devices.splice(devices.indexOf(found), 1)
        return found
      },
      startLink: async ({ passphrase }) => {
        if (person.passphrase !== undefined && passphrase === undefined) {
          throw new UserError('passphrase-needed', 'The keys are protected by a passphrase.')
        }
        this.count += 1
        const code = `kith:link/${this.count}`
        let answer: (isSame: boolean) => void = () => undefined
        const answered = new Promise<boolean>((resolve) => {
          answer = resolve
        })
        current = { person, answered, answer, emit }
        this.waiting.set(code, current)
        return { state: 'waiting', code, expiresAtMs: 0 }
      },
      answerLink: async ({ isSame }) => current?.answer(isSame),
      async cancelLink() {
        current?.answer(false)
      }
    }
  }

  readonly link: Engine['linkDevice'] = async ({ code, name = 'device', compare }) => {
    const link = this.waiting.get(code)
    this.waiting.delete(code)
    if (link === undefined) {
      throw new UserError('link-unknown', 'No device waits behind this code.')
    }
    const { person, answered, emit } = link
    emit({ state: 'comparing', device: NEW_DEVICE, name, emoji: EMOJI })
    const account = person.view()
    const answers = [
      answered,
      compare({ emoji: EMOJI, account: account.account, name: person.name })
    ]
    if (!(await Promise.all(answers)).every(Boolean)) {
      emit({ state: 'failed', code: 'link-refused-there', message: 'Refused.', hint: undefined })
      throw new UserError('link-refused', 'The emoji differ. Nothing was linked.')
    }
    emit({ state: 'linked', device: NEW_DEVICE, name })
    return { account, deviceName: name }
  }
}
