// Dying at a named point, as kill -9 does: KITH_FAILPOINT=<name>[:<count>] ends the process when it passes the
// point for the count-th time. Only who starts a process sets its environment, and may kill it anyway.
import { FAILPOINTS, type Failpoint, type FailpointName } from './failpoint.ts'

/**
 * What was handed to the network before one of these points has to leave the process first. A write to a socket
 * takes well under a millisecond once the event loop turns.
 */
const LEAVING_MS = 5
const AFTER_SENDING: ReadonlySet<FailpointName> = new Set(['relay-push', 'node-acknowledged'])

/**
 * The failpoint that `text` asks for (`name` or `name:count`, count from 1); undefined for none. `die` must not
 * return. Throws RangeError for a text that names no point: a storm that kills nobody proves nothing.
 */
export function readFailpoint(text: string | undefined, die: () => void): Failpoint | undefined {
  if (text === undefined || text === '') return undefined
  const { name: wanted, count = '1' } =
    /^(?<name>[\w-]+)(?::(?<count>[1-9]\d*))?$/.exec(text)?.groups ?? {}
  const point = FAILPOINTS.find((name) => name === wanted)
  if (point === undefined) throw new RangeError(`KITH_FAILPOINT names no point: ${text}`)
  let left = Number(count)
  return (name) => {
    if (name !== point) return undefined
    left -= 1
    if (left !== 0) return undefined
    if (!AFTER_SENDING.has(point)) die()
    return new Promise(() => setTimeout(die, LEAVING_MS))
  }
}

/** The failpoint of this process; undefined in all but a storm's victims. */
export const processFailpoint = readFailpoint(process.env.KITH_FAILPOINT, () =>
  process.kill(process.pid, 'SIGKILL')
)
