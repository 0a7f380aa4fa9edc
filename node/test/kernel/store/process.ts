// Starts writer.ts and reads what it says.
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { openLevelStore } from '../../../src/kernel/host/index.ts'
import { silentLog, u32 } from '../../../src/kernel/index.ts'

const WRITER = fileURLToPath(new URL('writer.ts', import.meta.url))
/** Bytes of a value unless a test asks for others. */
export const VALUE_BYTES = 512

export interface Writer {
  readonly process: ChildProcess
  /** Lines so far, then those to come until the process ends. */
  readonly lines: AsyncIterable<string>
  readonly ended: Promise<void>
}

/** `shell` goes in front, such as a limit on file sizes. */
export function startWriter(
  folder: string,
  round: number,
  { shell = '', valueBytes = VALUE_BYTES } = {}
): Writer {
  const command = `${shell} exec "$0" "$@"`
  const parameters = [process.execPath, WRITER, folder, String(round), String(valueBytes)]
  const child = spawn('/bin/sh', ['-c', command, ...parameters], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  return { process: child, lines: createInterface({ input: child.stdout }), ended }
}

export function acknowledged(lines: readonly string[]): number[] {
  return lines.filter((line) => line.startsWith('ack ')).map((line) => Number(line.slice(4)))
}

/** Numbers whose record is not there, or not as it was written, after opening the folder. */
export async function findLost(
  folder: string,
  numbers: readonly number[],
  valueBytes = VALUE_BYTES
): Promise<number[]> {
  const store = await openLevelStore({ folder, log: silentLog })
  const values = await store.getMany(numbers.map((number) => u32(number)))
  await store.close()
  return numbers.filter((number, index) => {
    const value = values[index]
    return value?.byteLength !== valueBytes || value.some((byte) => byte !== number % 251)
  })
}
