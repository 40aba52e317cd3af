import * as t from 'io-ts'
import { concat, lastValueFrom, map, NEVER, of, retry, Subject, take, throwError, toArray } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { MemoryStore, memory } from '../../backends/memory/memoryStorage.js'
import type { Stream } from '../../lib/element.js'
import { checkpointed } from '../../operators/checkpointed.js'
import { keyBy } from '../../operators/keyBy.js'
import { mapValues } from '../../operators/mapValues.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { union } from '../../operators/union.js'

const counted = (words: Stream<string>) =>
  words.pipe(
    keyBy((word) => word),
    statefulMap('count', { state: t.number, initial: 0 }, (n, word: string) => [n + 1, `${word} ${n + 1}`]),
  )

describe('checkpointed', () => {
  it('gives what the operators inside give, and completes behind its source', async () => {
    const results = of('a', 'b', 'a').pipe(checkpointed('words', { storage: memory(), journal: true }, counted), toArray())
    expect(await lastValueFrom(results)).toEqual(['a 1', 'b 1', 'a 2'])
  })

  it('goes on with its state where the source was only cut off', async () => {
    const storage = memory()
    const pipeline = checkpointed('words', { storage, journal: true, atEnd: 'suspend' }, counted)
    expect(await lastValueFrom(of('a', 'b').pipe(pipeline, toArray()))).toEqual(['a 1', 'b 1'])
    expect(await lastValueFrom(of('a').pipe(pipeline, toArray()))).toEqual(['a 2'])
  })

  it('processes again what was noted down and is in no checkpoint', async () => {
    const store = new MemoryStore()
    const first = new Subject<string>()
    const seen: string[] = []
    const options = () => ({ storage: memory({ store }), journal: true, checkpoints: { intervalMs: Number.POSITIVE_INFINITY } })
    const subscription = first.pipe(checkpointed('words', options(), counted)).subscribe((value) => seen.push(value))
    first.next('a')
    first.next('b')
    await expect.poll(() => seen).toEqual(['a 1', 'b 1'])
    subscription.unsubscribe()
    const again = await lastValueFrom(of('a').pipe(checkpointed('words', { ...options(), atEnd: 'suspend' }, counted), toArray()))
    expect(again).toEqual(['a 1', 'b 1', 'a 2'])
  })

  it('passes the error of its source when all that came before is safe', async () => {
    const storage = memory()
    const failing = new Subject<string>()
    const error = new Error('the socket closed')
    const seen: string[] = []
    const ended = new Promise((resolve) =>
      failing.pipe(checkpointed('words', { storage, journal: true }, counted)).subscribe({ next: (value) => seen.push(value), error: resolve }),
    )
    failing.next('a')
    failing.error(error)
    expect(await ended).toBe(error)
    expect(seen).toEqual(['a 1'])
    expect(await lastValueFrom(of('a').pipe(checkpointed('words', { storage, journal: true }, counted), toArray()))).toEqual(['a 2'])
  })

  it('hands out results behind their checkpoint, each with its id', async () => {
    const pipeline = checkpointed('words', { storage: memory(), journal: true, delivery: 'withCheckpoint' }, counted)
    expect(await lastValueFrom(of('a', 'b').pipe(pipeline, toArray()))).toEqual([
      { id: 'words:0', sequence: 0, value: 'a 1' },
      { id: 'words:1', sequence: 1, value: 'b 1' },
    ])
  })

  it('starts again where it was when it is retried outside', async () => {
    let failures = 1
    const input = new Subject<string>()
    const seen: string[] = []
    const pipeline = checkpointed('words', { storage: memory(), journal: true }, (words: Stream<string>) =>
      counted(words).pipe(
        mapValues((value) => {
          if (value === 'b 1' && failures-- > 0) throw new Error('once')
          return value
        }),
      ),
    )
    input.pipe(pipeline, retry(1)).subscribe((value) => seen.push(value))
    input.next('a')
    input.next('b')
    await expect.poll(() => seen).toEqual(['a 1', 'a 1', 'b 1'])
  })

  it('joins further inputs in the order in which they came', async () => {
    const words = new Subject<string>()
    const marks = new Subject<string>()
    const seen: string[] = []
    const pipeline = checkpointed('joined', { storage: memory(), journal: true }, (main: Stream<string>, { input }) => {
      const other = input('marks', marks).pipe(mapValues((mark) => `mark ${mark}`))
      return main.pipe(union(other))
    })
    words.pipe(pipeline).subscribe((value) => seen.push(value))
    words.next('a')
    await expect.poll(() => seen).toEqual(['a'])
    marks.next('x')
    words.next('b')
    await expect.poll(() => seen).toEqual(['a', 'mark x', 'b'])
  })

  it('ends with a code where values come for a pipeline that had come to its end', async () => {
    const storage = memory()
    const pipeline = checkpointed('words', { storage, journal: true }, counted)
    await lastValueFrom(of('a').pipe(pipeline, toArray()))
    await expect(lastValueFrom(of('b').pipe(pipeline, toArray()))).rejects.toMatchObject({ code: 'STREAM_FINISHED' })
  })

  it('counts a value of a source that repeats itself once', async () => {
    const store = new MemoryStore()
    const options = () => ({ storage: memory({ store }), journal: true, id: (word: string) => word.slice(1), checkpoints: { intervalMs: 1_000_000 } })
    const lettersOnly = (words: Stream<string>) => counted(words.pipe(mapValues((word) => word.slice(0, 1))))
    const first = concat(of('a1', 'b2', 'a3'), NEVER).pipe(checkpointed('words', options(), lettersOnly), take(2), toArray())
    expect(await lastValueFrom(first)).toEqual(['a 1', 'b 1'])
    const second = of('a1', 'b2', 'a3', 'a4').pipe(checkpointed('words', options(), lettersOnly), toArray())
    expect(await lastValueFrom(second)).toEqual(['a 1', 'b 1', 'a 2', 'a 3'])
  })

  it('refuses a second subscription while one goes on', async () => {
    const pipeline = checkpointed('words', { storage: memory(), journal: true }, counted)
    const running = NEVER.pipe(pipeline).subscribe()
    await expect(lastValueFrom(of('a').pipe(pipeline))).rejects.toMatchObject({ code: 'BACKEND_IN_USE' })
    running.unsubscribe()
  })

  it('passes an error of a user function as it is', async () => {
    const error = new Error('mine')
    const pipeline = checkpointed('words', { storage: memory() }, (words: Stream<string>) =>
      words.pipe(
        mapValues((): string => {
          throw error
        }),
      ),
    )
    await expect(lastValueFrom(of('a').pipe(pipeline))).rejects.toBe(error)
    await expect(lastValueFrom(throwError(() => error).pipe(map(String), pipeline))).rejects.toBe(error)
  })
})
