import { expect, test } from 'vitest'
import { memorySource } from '../../backends/memory/memorySource.js'
import { unwrap } from '../../lib/task.js'
import { settled } from '../support/manualClock.js'
import { failureOf, openedReader, readAll, sourceContext } from '../support/ports.js'

test('reads its values and ends', async () => {
  expect(await readAll(memorySource(['a', 'b', 'c']))).toEqual({ values: ['a', 'b', 'c'], offsets: [1, 2, 3] })
  expect(await readAll(memorySource([]))).toEqual({ values: [], offsets: [] })
})

test('reads on behind an offset', async () => {
  expect((await readAll(memorySource(['a', 'b', 'c']), 2)).values).toEqual(['c'])
  expect((await readAll(memorySource(['a', 'b', 'c']), 3)).values).toEqual([])
})

test('hands over at most what is asked for, and at most batchMax', async () => {
  const reader = await openedReader(memorySource([1, 2, 3, 4, 5], { batchMax: 2 }))
  const sizes: number[] = []
  for (const recordsMax of [10, 1, 10]) {
    const read = await unwrap(reader.read(recordsMax))
    sizes.push(read.kind === 'batch' ? read.batch.values.length : 0)
  }
  expect(sizes).toEqual([2, 1, 2])
})

test('one that is not bounded waits for more, and for its end', async () => {
  const source = memorySource<string>([], { bounded: false })
  const reader = await openedReader(source)
  let found: unknown
  const reading = unwrap(reader.read(10)).then((read) => (found = read))
  await settled()
  expect(found).toBeUndefined()
  source.push('a', 'b')
  await reading
  expect(found).toMatchObject({ kind: 'batch', batch: { values: ['a', 'b'] } })
  const last = unwrap(reader.read(10))
  source.end()
  expect(await last).toEqual({ kind: 'end' })
  expect(() => source.push('c')).toThrow(TypeError)
})

test('a pending read settles when the reader is closed', async () => {
  const reader = await openedReader(memorySource<string>([], { bounded: false }))
  const reading = failureOf(reader.read(10))
  await reader.close()()
  expect(await reading).toMatchObject({ code: 'SOURCE_IO', details: { reason: 'the reader was closed' } })
  await reader.close()()
})

test('an offset that was discarded or never existed is an error, unless the choice is to start over', async () => {
  const source = memorySource(['a', 'b', 'c'])
  source.discardBefore(2)
  expect(await failureOf(source.open(sourceContext(1)))).toMatchObject({ code: 'SOURCE_OFFSET_GONE', details: { offset: 1, first: 2, end: 3 } })
  expect(await failureOf(source.open(sourceContext(4)))).toMatchObject({ code: 'SOURCE_OFFSET_AHEAD' })
  expect((await readAll(source, 2)).values).toEqual(['c'])
  const lenient = memorySource(['a', 'b', 'c'], { onOffsetGone: 'earliest' })
  lenient.discardBefore(1)
  expect((await readAll(lenient, 0)).values).toEqual(['b', 'c'])
  expect((await readAll(lenient, 9)).values).toEqual(['b', 'c'])
})

test('an offset of another kind of source is refused', async () => {
  for (const offset of [{ position: 1 }, -1, 0.5, '1', [1]])
    expect(await failureOf(memorySource(['a']).open(sourceContext(offset)))).toMatchObject({ code: 'STATE_KIND_CHANGED' })
})

test('values that are discarded under a reader are an error, not a gap', async () => {
  const source = memorySource(['a', 'b', 'c'])
  const reader = await openedReader(source)
  source.discardBefore(2)
  expect(await failureOf(reader.read(1))).toMatchObject({ code: 'SOURCE_IO', details: { position: 0, first: 2 } })
})

test('an option out of its range is refused', () => {
  expect(() => memorySource([], { batchMax: 0 })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
})
