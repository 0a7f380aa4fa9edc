// The methods of the local socket about this account's devices: listing, naming, removing, and adding one. How far an
// addition is comes as events of type `link`.
import type { Method } from './methods.ts'

export const DEVICE_METHODS: readonly (readonly [string, Method])[] = [
  [
    'listDevices',
    {
      summary: 'DeviceView of every device of the account',
      params: {},
      isRepeatable: true,
      call: (api) => api.listDevices()
    }
  ],
  [
    'renameDevice',
    {
      summary: 'names a device, on this one only; DeviceView',
      params: { device: { kind: 'who' }, name: { kind: 'name' } },
      isRepeatable: true,
      call: (api, params) =>
        api.renameDevice({ device: params.text('device'), name: params.text('name') })
    }
  ],
  [
    'removeDevice',
    {
      summary: 'takes a device out of the account and its chats; DeviceView',
      params: { device: { kind: 'who' } },
      isRepeatable: false,
      call: (api, params) => api.removeDevice({ device: params.text('device') })
    }
  ],
  [
    'startLink',
    {
      summary: 'makes a code for a new device and waits behind it; LinkView',
      params: { passphrase: { kind: 'secret', optional: true } },
      isRepeatable: false,
      call(api, params) {
        const passphrase = params.optionalText('passphrase')
        return api.startLink(passphrase === undefined ? {} : { passphrase })
      }
    }
  ],
  [
    'answerLink',
    {
      summary: 'says whether the emoji are the same on both devices',
      params: { isSame: { kind: 'flag' } },
      isRepeatable: false,
      call: (api, params) => api.answerLink({ isSame: params.flag('isSame') })
    }
  ],
  [
    'cancelLink',
    {
      summary: 'ends a link that is under way',
      params: {},
      isRepeatable: true,
      call: (api) => api.cancelLink()
    }
  ]
]
