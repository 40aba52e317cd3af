import { NEVER, of, Subject, throwError } from 'rxjs'
import { expect, test } from 'vitest'
import { collect } from '../../operators/collect.js'
import { records } from '../../operators/records.js'
import { settled } from '../support/manualClock.js'

test('never: does not settle', async () => {
  let ended = false
  void collect(NEVER.pipe(records())).finally(() => (ended = true))
  await settled(2)
  expect(ended).toBe(false)
})

test('empty, one and many', async () => {
  expect(await collect(of<number[]>().pipe(records()))).toEqual([])
  expect(await collect(of(1).pipe(records()))).toEqual([1])
  expect(await collect(of(1, 2, 3).pipe(records()))).toEqual([1, 2, 3])
})

test('error: rejects with it as it is', async () => {
  const mine = new Error('mine')
  await expect(collect(throwError(() => mine).pipe(records()))).rejects.toBe(mine)
})

test('reads at once, and lets go at the end', async () => {
  const subject = new Subject<number>()
  const all = collect(subject.pipe(records()))
  subject.next(1)
  subject.complete()
  expect(await all).toEqual([1])
  expect(subject.observed).toBe(false)
})
