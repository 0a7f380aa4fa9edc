// The methods of the local socket about people: contacts, requests of strangers, blocking, safety numbers.
import type { Method } from './methods.ts'

const WHO = { who: { kind: 'who' } } as const

export const CONTACT_METHODS: readonly (readonly [string, Method])[] = [
  [
    'addContact',
    {
      summary: 'adds the account of a contact link; ContactView',
      params: { link: { kind: 'link' }, name: { kind: 'name', optional: true } },
      isRepeatable: false,
      call(api, params) {
        const name = params.optionalText('name')
        return api.addContact({
          link: params.text('link'),
          ...(name === undefined ? {} : { name })
        })
      }
    }
  ],
  [
    'listContacts',
    {
      summary: 'ContactView of every contact',
      params: {},
      isRepeatable: true,
      call: (api) => api.listContacts()
    }
  ],
  [
    'listRequests',
    {
      summary: 'RequestView of every stranger who waits for an answer',
      params: {},
      isRepeatable: true,
      call: (api) => api.listRequests()
    }
  ],
  [
    'acceptRequest',
    {
      summary: 'makes a stranger a contact; ContactView',
      params: { ...WHO, name: { kind: 'name', optional: true } },
      isRepeatable: false,
      call(api, params) {
        const name = params.optionalText('name')
        return api.acceptRequest({
          who: params.text('who'),
          ...(name === undefined ? {} : { name })
        })
      }
    }
  ],
  [
    'ignoreRequest',
    {
      summary: 'takes a request off the list; ContactView',
      params: WHO,
      isRepeatable: false,
      call: (api, params) => api.ignoreRequest({ who: params.text('who') })
    }
  ],
  [
    'blockContact',
    {
      summary: 'blocks an account, here and at the home relays; BlockedView',
      params: WHO,
      isRepeatable: true,
      call: (api, params) => api.blockContact({ who: params.text('who') })
    }
  ],
  [
    'unblockContact',
    {
      summary: 'opposite of blockContact; BlockedView',
      params: WHO,
      isRepeatable: false,
      call: (api, params) => api.unblockContact({ who: params.text('who') })
    }
  ],
  [
    'listBlocked',
    {
      summary: 'ContactView of every blocked account',
      params: {},
      isRepeatable: true,
      call: (api) => api.listBlocked()
    }
  ],
  [
    'safetyNumber',
    {
      summary: 'digits and device lists to compare with a contact; SafetyView',
      params: WHO,
      isRepeatable: true,
      call: (api, params) => api.safetyNumber({ who: params.text('who') })
    }
  ],
  [
    'verifyContact',
    {
      summary: 'marks a contact verified when the digits are right; ContactView',
      params: { ...WHO, digits: { kind: 'digits' } },
      isRepeatable: true,
      call: (api, params) =>
        api.verifyContact({ who: params.text('who'), digits: params.text('digits') })
    }
  ]
]
