// LevelDB's log writer (db/log_writer.cc), for logs that tests make up.
import { crc32c, maskedCrc32c } from '../../../../src/kernel/store/leveldb/crc32c.ts'

const BLOCK_BYTES = 32_768

export function writeLog(records: readonly Uint8Array[]): Uint8Array {
  const bytes: number[] = []
  for (const record of records) {
    let rest = record
    let isFirst = true
    for (let isLast = false; !isLast; ) {
      const left = BLOCK_BYTES - (bytes.length % BLOCK_BYTES)
      if (left < 7) {
        bytes.push(...new Uint8Array(left))
        continue
      }
      const data = rest.subarray(0, left - 7)
      rest = rest.subarray(data.length)
      isLast = rest.length === 0
      const type = isFirst ? (isLast ? 1 : 2) : isLast ? 4 : 3
      const header = new DataView(new ArrayBuffer(7))
      header.setUint32(0, maskedCrc32c(data, crc32c(new Uint8Array([type]))), true)
      header.setUint16(4, data.length, true)
      header.setUint8(6, type)
      bytes.push(...new Uint8Array(header.buffer))
      for (const byte of data) bytes.push(byte)
      isFirst = false
    }
  }
  return Uint8Array.from(bytes)
}
