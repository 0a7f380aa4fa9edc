// The keeper of local processes: what is started is watched, bounded and gone afterwards.
import { afterEach, expect, test } from 'vitest'
import { LocalProcesses } from '../network/processes.ts'

const WAIT = { timeoutMs: 20_000 }
const processes = new LocalProcesses()
afterEach(() => processes.stop())

const start = (code: string, name = 'child') =>
  processes.start({ name, args: ['--input-type=module', '--eval', code] })

const isAlive = (pid: number | undefined) => {
  try {
    return pid !== undefined && process.kill(pid, 0)
  } catch {
    return false
  }
}

const FOREVER = 'setInterval(() => {}, 1_000_000);'

test('a line is found whether it was printed before or after asking', async () => {
  const child = start(
    'console.log("a"); console.log("b"); process.stdin.on("data", d => console.log(String(d).trim()))'
  )
  expect(await child.line((line) => line === 'b', WAIT)).toBe('b')
  const later = child.line((line) => line.startsWith('c'), WAIT)
  child.write('c1')
  expect(await later).toBe('c1')
  expect(child.output).toEqual(['a', 'b', 'c1'])
})

test('waiting for a line of a process that ends says so', async () => {
  const child = start('console.error("broken"); process.exit(3)', 'relay')
  await expect(child.line(() => true, WAIT)).rejects.toThrow('relay ended too early')
  expect(child.tail).toEqual(['broken'])
  await expect(child.success(WAIT)).rejects.toThrow('relay ended with 3')
})

test('waiting for a line has a bound', async () => {
  const child = start(FOREVER)
  await expect(child.line(() => true, { timeoutMs: 50 })).rejects.toThrow('said nothing for 0.05 s')
})

test('waiting ends when the signal aborts', async () => {
  const child = start(FOREVER)
  const interrupted = new AbortController()
  const line = child.line(() => true, { ...WAIT, signal: interrupted.signal })
  interrupted.abort()
  await expect(line).rejects.toThrow('was interrupted')
  await expect(child.success({ ...WAIT, signal: interrupted.signal })).rejects.toThrow(
    'was interrupted'
  )
  expect(isAlive(child.pid)).toBe(false)
})

test('a run that takes too long is killed', async () => {
  const run = processes.run({ name: 'slow', args: ['--eval', FOREVER], timeoutMs: 100 })
  await expect(run).rejects.toThrow('slow did not end within 0.1 s')
  expect(processes.all.map(({ pid }) => isAlive(pid))).not.toContain(true)
})

test('a run returns its standard output and is forgotten', async () => {
  const before = processes.all.length
  const options = { name: 'echo', args: ['--eval', 'process.stdin.pipe(process.stdout)'] }
  expect(await processes.run({ ...options, ...WAIT, input: 'שלום 🙂' })).toBe('שלום 🙂')
  expect(processes.all.length).toBe(before)
})

test('stopping ends processes newest first and waits for each', async () => {
  const own = new LocalProcesses()
  const ended: string[] = []
  for (const name of ['first', 'second']) {
    const child = own.start({ name, args: ['--eval', `console.log("up"); ${FOREVER}`] })
    await child.line((line) => line === 'up', WAIT)
    void child.ended.then(() => ended.push(name))
  }
  await own.stop()
  expect(ended).toEqual(['second', 'first'])
  expect(own.all.map(({ pid }) => isAlive(pid))).toEqual([false, false])
})

test('a killed process ends with the signal, whatever it catches', async () => {
  const child = start(`process.on('SIGTERM', () => {}); console.log('up'); ${FOREVER}`)
  await child.line((line) => line === 'up', WAIT)
  await child.kill()
  expect(await child.ended).toBe('SIGKILL')
  expect(isAlive(child.pid)).toBe(false)
})
