import * as t from 'io-ts'
import { describe, expect, test } from 'vitest'
import { directory } from '../../backends/directory/index.js'
import { type MemorySink, memorySink } from '../../backends/memory/memorySink.js'
import { type MemorySource, memorySource } from '../../backends/memory/memorySource.js'
import { MemoryStore, memory } from '../../backends/memory/memoryStorage.js'
import { keyBy } from '../../operators/keyBy.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { storageWith } from '../support/adversaries.js'
import { failed, ran, settled, testJob, watched } from '../support/jobs.js'
import { temporaryDirectory } from '../support/temporary.js'

/** Counts words; its last operator may be called otherwise, or not be there. */
function counting(
  input: MemorySource<string>,
  out: MemorySink<string>,
  { uid = 'count', twice = false, ...options }: NonNullable<Parameters<typeof testJob>[1]> & { readonly uid?: string; readonly twice?: boolean } = {},
) {
  return testJob(({ source, sink }) => {
    const counted = source('words', input).pipe(
      keyBy((word) => word),
      statefulMap(uid, { state: t.number, initial: 0 }, (n, word: string) => [n + 1, `${word} ${n + 1}`]),
    )
    const all = twice ? counted.pipe(statefulMap('lines', { state: t.number, initial: 0 }, (n, line: string) => [n + 1, line])) : counted
    return all.pipe(sink('out', out))
  }, options).job
}

/** Words that have been counted, and a savepoint made by stopping. */
async function stopped(words: readonly string[], options: Parameters<typeof counting>[2] = {}) {
  const input = memorySource(words, { bounded: false })
  const out = memorySink<string>()
  const savepoint = memory()
  const run = watched(counting(input, out, options))
  await settled()
  await run.stop({ savepoint })
  return { input, out, savepoint, run }
}

describe('a savepoint', () => {
  test('that a job is stopped with is where another storage begins', async () => {
    const { input, out, savepoint, run } = await stopped(['a', 'b', 'a'])
    expect(out.committed).toEqual(['a 1', 'b 1', 'a 2'])
    expect(run.of('savepointCompleted')).toMatchObject([{ rows: 2 }])
    input.push('a', 'b')
    input.end()
    const storage = memory()
    await ran(counting(input, out, { storage, restore: { from: savepoint } }))
    expect(out.committed).toEqual(['a 1', 'b 1', 'a 2', 'a 3', 'b 2'])
  })

  test('is looked at once: afterwards the own checkpoints count', async () => {
    const { input, out, savepoint } = await stopped(['a'])
    const storage = memory()
    const first = watched(counting(input, out, { storage, restore: { from: savepoint } }))
    await settled()
    input.push('a')
    await settled()
    await first.stop()
    input.push('a')
    input.end()
    await ran(counting(input, out, { storage, restore: { from: savepoint } }))
    expect(out.committed).toEqual(['a 1', 'a 2', 'a 3'])
  })

  test('of a job that goes on is a copy that nobody removes', async () => {
    const input = memorySource(['a', 'a'], { bounded: false })
    const out = memorySink<string>()
    const run = watched(counting(input, out, { storage: memory({ retainedCheckpoints: 1 }) }))
    await settled()
    const savepoint = memory()
    await run.savepoint(savepoint)
    input.push('a')
    await settled()
    await run.checkpoint()
    await run.checkpoint()
    input.end()
    await run.done
    const elsewhere = memorySink<string>()
    await ran(counting(input, elsewhere, { storage: memory(), restore: { from: savepoint } }))
    expect(elsewhere.committed).toEqual(['a 3'])
  })

  test('moves a job from memory to a directory and back', async () => {
    const folder = await temporaryDirectory()
    const { input, out, savepoint } = await stopped(['a', 'b'])
    const onDisk = watched(counting(input, out, { storage: directory(`${folder}/state`), restore: { from: savepoint } }))
    input.push('a')
    await onDisk.stop({ savepoint: directory(`${folder}/savepoint`), at: (_uid, offset) => offset === 3 })
    input.push('b')
    input.end()
    await ran(counting(input, out, { storage: memory(), restore: { from: directory(`${folder}/savepoint`) } }))
    expect(out.committed).toEqual(['a 1', 'b 1', 'a 2', 'b 2'])
  })

  test('is not written over another', async () => {
    const { savepoint, input, out } = await stopped(['a'])
    const run = watched(counting(input, out, { storage: memory(), restore: { from: savepoint } }))
    await settled()
    await expect(run.savepoint(savepoint)).rejects.toMatchObject({ code: 'SAVEPOINT_EXISTS' })
    run.cancel()
  })

  test('that is not there is an error, and so is one of a job of another name', async () => {
    const { savepoint, input, out } = await stopped(['a'])
    expect(await failed(counting(input, out, { storage: memory(), restore: { from: memory() } }))).toMatchObject({ code: 'SAVEPOINT_MISSING' })
    const restore = { from: savepoint, fromJob: 'another' }
    expect(await failed(counting(input, out, { storage: memory(), restore }))).toMatchObject({ code: 'SAVEPOINT_MISSING' })
  })

  test('does not hide that a sink has gone on since', async () => {
    const input = memorySource(['a'], { bounded: false })
    const out = memorySink<string>()
    const run = watched(counting(input, out))
    await settled()
    const savepoint = memory()
    await run.savepoint(savepoint)
    input.push('a')
    await settled()
    await run.stop()
    input.end()
    expect(await failed(counting(input, out, { storage: memory(), restore: { from: savepoint } }))).toMatchObject({ code: 'SINK_AHEAD' })
    await ran(counting(input, out, { storage: memory(), restore: { from: savepoint, allowSinkAhead: true } }))
    expect(out.committed).toEqual(['a 1', 'a 2', 'a 2'])
  })

  test('that cannot be written ends the run with the error, and its own storage has everything', async () => {
    const input = memorySource(['a'], { bounded: false })
    const out = memorySink<string>()
    const storage = memory()
    const { savepoint } = await stopped(['x'])
    const run = watched(counting(input, out, { storage }))
    await settled()
    await expect(run.stop({ savepoint })).rejects.toMatchObject({ code: 'SAVEPOINT_EXISTS' })
    input.push('a')
    input.end()
    await ran(counting(input, out, { storage }))
    expect(out.committed).toEqual(['a 1', 'a 2'])
  })
})

describe('a program that has changed', () => {
  test('is told what is stored against what it has', async () => {
    const { savepoint, input, out } = await stopped(['a'])
    const error = await failed(counting(input, out, { uid: 'counter', storage: memory(), restore: { from: savepoint } }))
    expect(error).toMatchObject({
      code: 'STATE_UNCLAIMED',
      details: {
        uid: 'count',
        fit: [
          'count: operator stored, nothing in the program',
          'counter: nothing stored, operator in the program',
          'words: source stored, source in the program',
          'out: sink stored, sink in the program',
        ],
      },
    })
  })

  test('may have given an operator another name', async () => {
    const { savepoint, input, out } = await stopped(['a'])
    input.push('a')
    const storage = memory()
    const restore = { from: savepoint, renamed: { count: 'counter' } }
    const run = watched(counting(input, out, { uid: 'counter', storage, restore }))
    await settled()
    await run.stop()
    input.push('a')
    input.end()
    await ran(counting(input, out, { uid: 'counter', storage, restore }))
    expect(out.committed).toEqual(['a 1', 'a 2', 'a 3'])
  })

  test('may rename on its own storage, and a crash in between changes nothing', async () => {
    const input = memorySource(['a'], { bounded: false })
    const out = memorySink<string>()
    const storage = memory()
    const before = watched(counting(input, out, { storage }))
    await settled()
    await before.stop()
    const restore = { renamed: { count: 'counter' } }
    const crashed = watched(counting(input, out, { uid: 'counter', storage, restore }))
    await settled()
    crashed.cancel()
    await settled()
    input.push('a')
    input.end()
    await ran(counting(input, out, { uid: 'counter', storage, restore }))
    expect(out.committed).toEqual(['a 1', 'a 2'])
  })

  test('may leave an operator out where that is allowed, and its rows do not come back with it', async () => {
    const { savepoint, input, out } = await stopped(['a', 'a'], { twice: true })
    input.push('a')
    expect(await failed(counting(input, out, { storage: memory(), restore: { from: savepoint } }))).toMatchObject({ code: 'STATE_UNCLAIMED' })
    const storage = memory()
    const run = watched(counting(input, out, { storage, restore: { from: savepoint, allowNonRestoredState: true } }))
    await settled()
    const again = memory()
    await run.stop({ savepoint: again })
    expect(out.committed).toEqual(['a 1', 'a 2', 'a 3'])
    input.end()
    await ran(counting(input, out, { storage: memory(), twice: true, restore: { from: again } }))
  })

  test('may begin without what an operator had, once', async () => {
    const { savepoint, input, out } = await stopped(['a', 'a'])
    input.push('a')
    const storage = memory()
    const restore = { from: savepoint, without: ['count'] }
    const run = watched(counting(input, out, { storage, restore }))
    await settled()
    await run.stop()
    input.push('a')
    input.end()
    await ran(counting(input, out, { storage, restore }))
    expect(out.committed).toEqual(['a 1', 'a 2', 'a 1', 'a 2'])
  })

  test('may not change the number of key groups', async () => {
    const { savepoint, input, out } = await stopped(['a'])
    const error = await failed(counting(input, out, { storage: memory(), maxParallelism: 64, restore: { from: savepoint } }))
    expect(error).toMatchObject({ code: 'MAX_PARALLELISM_CHANGED', details: { stored: 128, found: 64 } })
  })

  test('may not give two operators one name', () => {
    const restore = { renamed: { a: 'c', b: 'c' } }
    expect(() => counting(memorySource<string>([]), memorySink(), { restore })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  })
})

describe('an older checkpoint', () => {
  test('is where a job begins once, when it is asked for by its number', async () => {
    const input = memorySource(['a'], { bounded: false })
    const out = memorySink<string>()
    const storage = memory({ retainedCheckpoints: 10 })
    const run = watched(counting(input, out, { storage }))
    await settled()
    const first = await run.checkpoint()
    input.push('b')
    await settled()
    await run.stop()
    const restore = { checkpoint: first }
    expect(await failed(counting(input, out, { storage, restore }))).toMatchObject({ code: 'SINK_AHEAD' })
    const again = watched(counting(input, out, { storage, restore: { ...restore, allowSinkAhead: true } }))
    await settled()
    await again.stop()
    expect(out.committed).toEqual(['a 1', 'b 1', 'b 1'])
    input.push('b')
    input.end()
    await ran(counting(input, out, { storage, restore }))
    expect(out.committed).toEqual(['a 1', 'b 1', 'b 1', 'b 2'])
  })

  test('does not pass for a newer one when the run dies right behind the move', async () => {
    const input = memorySource(['a'], { bounded: false })
    const out = memorySink<string>()
    const storage = memory({ retainedCheckpoints: 10 })
    const run = watched(counting(input, out, { storage }))
    await settled()
    const first = await run.checkpoint()
    input.push('b')
    await settled()
    await run.stop()
    const dying = watched(counting(input, out, { storage, restore: { checkpoint: first, allowSinkAhead: true } }))
    await settled()
    expect(dying.of('restored')).toMatchObject([{ checkpointId: 3 }])
    dying.cancel()
    await settled()
    expect(await failed(counting(input, out, { storage, restore: { checkpoint: first } }))).toMatchObject({
      code: 'SINK_AHEAD',
      details: { restored: first },
    })
  })

  test('that went because somebody else has gone back to it meanwhile is not looked for any more', async () => {
    const input = memorySource(['a'], { bounded: false })
    const out = memorySink<string>()
    const store = new MemoryStore()
    const storage = memory({ store, retainedCheckpoints: 2 })
    const run = watched(counting(input, out, { storage }))
    await settled()
    const first = await run.checkpoint()
    await run.stop()
    input.push('a')
    input.end()
    const restore = { checkpoint: first }
    let rival: ReturnType<typeof watched> | undefined
    // Between the look at the newest checkpoint and the one at the older.
    const slow = storageWith(storage, {
      async hold() {
        rival ??= watched(counting(input, out, { storage: memory({ store, retainedCheckpoints: 2 }), restore }))
        await rival.done
      },
    })
    const begun = watched(counting(input, out, { storage: slow, restore }))
    await begun.done
    expect(rival?.of('restored')).toMatchObject([{ checkpointId: 3 }])
    expect(begun.of('restored')).toMatchObject([{ checkpointId: 4 }])
    expect(out.committed).toEqual(['a 1', 'a 2'])
  })

  test('that is not retained is an error that names those that are', async () => {
    const input = memorySource(['a'], { bounded: false })
    const storage = memory({ retainedCheckpoints: 2 })
    const out = memorySink<string>()
    const run = watched(counting(input, out, { storage }))
    await settled()
    for (let id = 1; id <= 4; id++) await run.checkpoint()
    await run.stop()
    expect(await failed(counting(input, out, { storage, restore: { checkpoint: 1 } }))).toMatchObject({
      code: 'CHECKPOINT_MISSING',
      details: { checkpointId: 1, retained: [4, 5] },
    })
  })
})
