import { mkdir } from 'node:fs/promises'
import { open } from 'lmdb'
import type { Course } from '../course.js'
import type { Reading } from '../readings.js'
import { type MutableSum, meanInPlace } from './handWritten.js'

const recordsPerTransaction = 1_000
const offsetKey = ['offset']

/**
 * What is written by hand to be durable: for each record an upsert, and the offset in the same transaction, a transaction per
 * thousand records. States are read from memory. The state after the first pass is written in one go.
 */
export async function durableLoop(course: Course, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const store = open<MutableSum | number, string | string[]>({ path: `${folder}/store`, compression: false })
  const states = new Map<string, MutableSum>()
  const { readings } = course
  for (const reading of readings) course.take(meanInPlace(states, reading))
  store.transactionSync(() => {
    for (const [device, state] of states) store.putSync(device, state)
  })
  let offset = readings.length
  course.skipFirstPass()
  for (let piece = course.next(); piece !== undefined; piece = course.next())
    for (let from = piece.from; from < piece.to; from += recordsPerTransaction) {
      const to = Math.min(from + recordsPerTransaction, piece.to)
      store.transactionSync(() => {
        for (let index = from; index < to; index += 1) {
          const reading = readings[index] as Reading
          const mean = meanInPlace(states, reading)
          store.putSync(reading.device, states.get(reading.device) as MutableSum)
          course.take(mean)
        }
        offset += to - from
        store.putSync(offsetKey, offset)
      })
    }
  await store.close()
}
