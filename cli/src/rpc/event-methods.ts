// The methods of the local socket about durable events: reading, waiting for, confirming.
import type { Method } from './methods.ts'

const CONSUMER = { kind: 'name' } as const
const NUMBER = { kind: 'number', min: 0, max: Number.MAX_SAFE_INTEGER } as const

export const EVENT_METHODS: readonly (readonly [string, Method])[] = [
  [
    'readEvents',
    {
      summary:
        'events behind a number, or behind what a consumer confirmed, oldest first; with waitMs waits for the first; EventsView',
      params: {
        after: { ...NUMBER, optional: true },
        consumer: { ...CONSUMER, optional: true },
        limit: { kind: 'number', min: 1, max: 1_000, optional: true },
        waitMs: { kind: 'number', min: 0, max: 60_000, optional: true }
      },
      isRepeatable: true,
      call(api, params, signal) {
        const after = params.optionalNumber('after')
        const consumer = params.optionalText('consumer')
        const limit = params.optionalNumber('limit')
        const waitMs = params.optionalNumber('waitMs')
        return api.readEvents(
          {
            ...(after === undefined ? {} : { after }),
            ...(consumer === undefined ? {} : { consumer }),
            ...(limit === undefined ? {} : { limit }),
            ...(waitMs === undefined ? {} : { waitMs })
          },
          signal
        )
      }
    }
  ],
  [
    'confirmEvents',
    {
      summary: 'everything up to a number has been dealt with by a consumer; ConsumerView',
      params: { consumer: CONSUMER, number: NUMBER },
      isRepeatable: true,
      call: (api, params) =>
        api.confirmEvents({
          consumer: params.text('consumer'),
          number: params.optionalNumber('number') ?? 0
        })
    }
  ],
  [
    'listConsumers',
    {
      summary: 'ConsumerView of everyone who reads events',
      params: {},
      isRepeatable: true,
      call: (api) => api.listConsumers()
    }
  ],
  [
    'forgetConsumer',
    {
      summary: 'forgets a consumer; ConsumerView as it was',
      params: { consumer: CONSUMER },
      isRepeatable: false,
      call: (api, params) => api.forgetConsumer({ consumer: params.text('consumer') })
    }
  ]
]
