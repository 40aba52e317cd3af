import * as t from 'io-ts'
import { describe, expect, test } from 'vitest'
import { memorySink } from '../../backends/memory/memorySink.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import { memory } from '../../backends/memory/memoryStorage.js'
import { type CodecOf, codec } from '../../lib/codec.js'
import { type MapState, mapState, type StateOutcome, valueState } from '../../lib/index.js'
import { keyBy } from '../../operators/keyBy.js'
import { processKeyed } from '../../operators/processKeyed.js'
import { failed, ran, settled, testJob, watched } from '../support/jobs.js'

const day = 24 * 60 * 60 * 1_000
const ttl = { ttl: { afterMs: day } }

/** Stores what the first release wrote, and looks at it with the next one: what a check says, and what a start reads. */
async function upgraded<A, B>(
  [before, after]: readonly [CodecOf<A>, CodecOf<B>],
  written: A,
  [ttlBefore, ttlAfter]: readonly [object, object] = [{}, {}],
): Promise<{ readonly outcome: StateOutcome | undefined; readonly read: unknown; readonly code: unknown }> {
  const storage = memory()
  const out = memorySink<unknown>()
  const job = (state: object, records: readonly string[], write: boolean) =>
    testJob(
      ({ source, sink }) =>
        source('keys', memorySource(records, { bounded: !write })).pipe(
          keyBy((key) => key),
          processKeyed(
            'kept',
            { state: { value: state as ReturnType<typeof valueState<unknown, unknown>> } },
            {
              onRecord(_key: string, { state: { value }, emit }) {
                if (write) value.update(written as never)
                else (emit as (value: unknown) => void)(value.value())
              },
            },
          ),
          sink('out', out),
        ),
      { storage },
    ).job
  const first = watched(job(valueState(before as never, ttlBefore), ['a'], true))
  while (first.metrics().sources[0]?.records !== 1) await settled(1)
  await first.stop()
  const next = job(valueState(after as never, ttlAfter), ['a', 'a'], false)
  const { states, fits } = await next.check()
  const error = fits ? await ran(next).then(() => undefined) : await failed(next)
  const outcome = states[0]?.outcome
  return { outcome, read: out.committed.at(-1), code: (error as { code?: unknown } | undefined)?.code }
}

/** A schema as zod makes one that strips what it does not know and fills in what is missing. */
const stripping = <S extends object>(fields: { readonly [name: string]: unknown }): CodecOf<S> =>
  codec<S>({
    encode: (value) => value,
    decode: (stored) =>
      Object.fromEntries(Object.entries(fields).map(([name, otherwise]) => [name, (stored as { [name: string]: unknown })[name] ?? otherwise])) as S,
  })

const person = t.type({ name: t.string, age: t.number })
const ada = { name: 'ada', age: 36 }
const migrating = <S>(migration: (stored: never) => unknown): CodecOf<S> =>
  codec<S>({ version: 2, encode: (value) => value, decode: (stored) => stored as S, migrations: { 1: migration as never } })

describe('TTL', () => {
  test('switched on loses no state', async () => {
    expect(await upgraded([person, person], ada, [{}, ttl])).toEqual({ outcome: 'asIs', read: ada, code: undefined })
  })

  test('switched off loses no state', async () => {
    expect(await upgraded([person, person], ada, [ttl, {}])).toEqual({ outcome: 'asIs', read: ada, code: undefined })
  })

  test('of another length loses no state', async () => {
    expect(await upgraded([person, person], ada, [ttl, { ttl: { afterMs: 2 * day } }])).toMatchObject({ outcome: 'asIs', read: ada })
  })
})

describe('a codec that reads what is stored, under the version of before', () => {
  test('and would write it again as it is: as is', async () => {
    expect(await upgraded([person, person], ada)).toMatchObject({ outcome: 'asIs', read: ada })
    // Members of a union, and of an enumeration, are stored by what they are, in whatever order they are declared.
    const abc = t.keyof({ a: null, b: null, c: null })
    expect(await upgraded([abc, t.keyof({ d: null, c: null, b: null, a: null })], 'b')).toMatchObject({ outcome: 'asIs', read: 'b' })
  })

  test('with a field added that has a default: reconfigured', async () => {
    const more = stripping({ name: '', age: 0, city: 'unknown' })
    expect(await upgraded([stripping({ name: '', age: 0 }), more], ada)).toEqual({
      outcome: 'reconfigured',
      read: { ...ada, city: 'unknown' },
      code: undefined,
    })
  })

  test('with a field removed that it drops: reconfigured', async () => {
    expect(await upgraded([person, stripping({ name: '' })], ada)).toMatchObject({ outcome: 'reconfigured', read: { name: 'ada' } })
  })

  test('with fields in another order: reconfigured', async () => {
    expect(await upgraded([person, stripping({ age: 0, name: '' })], ada)).toMatchObject({ outcome: 'reconfigured', read: ada })
  })

  test('and writes another form: reconfigured, and read in both forms', async () => {
    const text = codec<number>({
      encode: (n) => `n=${n}`,
      decode: (stored) => (typeof stored === 'number' ? stored : Number((stored as string).slice(2))),
    })
    expect(await upgraded([t.number, text], 7)).toMatchObject({ outcome: 'reconfigured', read: 7 })
    expect(await upgraded([text, text], 7)).toMatchObject({ outcome: 'asIs', read: 7 })
  })

  test('with a type widened: as is', async () => {
    expect(await upgraded([t.number, t.union([t.number, t.string])], 7)).toMatchObject({ outcome: 'asIs', read: 7 })
    expect(
      await upgraded([t.type({ name: t.string }), t.intersection([t.type({ name: t.string }), t.partial({ age: t.number })])], ada),
    ).toMatchObject({
      outcome: 'asIs',
      read: ada,
    })
  })
})

describe('a codec with a new version', () => {
  test.each([
    ['a field added', (stored: object) => ({ ...stored, city: 'unknown' }), { ...ada, city: 'unknown' }],
    ['a field removed', ({ name }: typeof ada) => ({ name }), { name: 'ada' }],
    ['a field widened', (stored: typeof ada) => ({ ...stored, age: [stored.age] }), { name: 'ada', age: [36] }],
    ['a field renamed', ({ name, age }: typeof ada) => ({ name, years: age }), { name: 'ada', years: 36 }],
    ['its type changed', ({ name, age }: typeof ada) => `${name} ${age}`, 'ada 36'],
  ])('with %s migrates what is stored', async (_, migration, read) => {
    expect(await upgraded([person, migrating(migration as never)], ada)).toEqual({ outcome: 'afterMigration', read, code: undefined })
  })

  test('and no migration is refused', async () => {
    const next = codec<string>({ version: 2, encode: (value) => value, decode: String })
    expect(await upgraded([person, next], ada)).toMatchObject({ outcome: 'incompatible', code: 'STATE_VERSION_UNSUPPORTED' })
  })
})

describe('a codec that does not read what is stored', () => {
  test.each([
    ['a field added that has to be there', t.type({ name: t.string, age: t.number, city: t.string })],
    ['a field renamed without a migration', t.type({ name: t.string, years: t.number })],
    ['a type changed without a migration', t.type({ name: t.string, age: t.string })],
  ])('for %s is refused', async (_, after) => {
    expect(await upgraded([person, after as CodecOf<unknown>], ada)).toMatchObject({ outcome: 'incompatible', code: 'CODEC_MISMATCH' })
  })
})

describe('a key codec', () => {
  const visits = (storage: ReturnType<typeof memory>, state: ReturnType<typeof mapState<never, number, never, never>>, out = memorySink<number>()) =>
    testJob(
      ({ source, sink }) =>
        source('names', memorySource(['ada', 'bob'])).pipe(
          keyBy(() => 'all'),
          processKeyed(
            'visits',
            { state: { seen: state } },
            {
              onRecord(name: string, { state }) {
                ;(state as { seen: MapState<string, number> }).seen.put(name, 1)
              },
            },
          ),
          sink('out', out as never),
        ),
      { storage },
    ).job

  test('change is refused where keys of a map do not fit, by a check and by a start', async () => {
    const storage = memory()
    const out = memorySink<number>()
    await ran(visits(storage, mapState(t.string, t.number) as never, out))
    const changed = visits(storage, mapState(t.number, t.number) as never, out)
    expect(await changed.check()).toMatchObject({
      fits: false,
      states: [{ state: 'seen', outcome: 'incompatible', error: { code: 'CODEC_MISMATCH' } }],
    })
    expect(await failed(changed)).toMatchObject({ code: 'CODEC_MISMATCH' })
    expect(await visits(storage, mapState(t.string, t.number) as never, out).check()).toMatchObject({ fits: true, states: [{ outcome: 'asIs' }] })
  })
})
