// The store without its writing half: handlers read, and write only through the relay's own commit, which stops
// the relay when the store fails.
import type { Store } from '@kith/node/kernel'

export type StoreReader = Pick<Store, 'get' | 'getMany' | 'scan'>
