import { fc, test } from '@fast-check/vitest'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { either as E } from 'fp-ts'
import * as t from 'io-ts'
import * as v from 'valibot'
import { describe, expect, expectTypeOf } from 'vitest'
import { z } from 'zod'
import { type Codec, type CodecOf, codec, decodeWith, json, type Restorable, type SchemaMustNotTransform, stateCodec } from '../../lib/codec.js'
import type { ErrorCode, RxweirError } from '../../lib/errors.js'

/** The error that a piece of work ends with. */
function failure(work: () => unknown): RxweirError {
  try {
    work()
  } catch (error) {
    return error as RxweirError
  }
  throw new Error('the work did not fail')
}
const code = (work: () => unknown): ErrorCode => failure(work).code

const Reading = t.type({ device: t.string, celsius: t.number, tags: t.array(t.string) })
const reading = { device: 'd1', celsius: -0, tags: ['a'] }

/** A schema made by hand, in place of one of the many libraries. */
const schema = <T>(validate: (value: unknown) => StandardSchemaV1.Result<T> | Promise<StandardSchemaV1.Result<T>>): StandardSchemaV1<T, T> => ({
  '~standard': { version: 1, vendor: 'own', validate },
})

/** io-ts's own pattern for a type that is not plain data. */
const DateFromText = new t.Type<Date, string>(
  'DateFromText',
  (value): value is Date => value instanceof Date,
  (raw, context) => (typeof raw === 'string' && !Number.isNaN(Date.parse(raw)) ? t.success(new Date(raw)) : t.failure(raw, context)),
  (date) => date.toISOString(),
)

class Money {
  constructor(readonly cents: bigint) {}
}
const money = codec<Money>({
  version: 3,
  encode: ({ cents }) => ({ cents }),
  decode: (stored) => new Money((stored as { cents: bigint }).cents),
  migrations: { 1: (euros) => BigInt(euros as number) * 100n, 2: (cents) => ({ cents }) },
})

describe('whatever says what a state looks like', () => {
  test.each<[string, CodecOf<never>, unknown, string]>([
    ['an io-ts type', Reading as never, reading, '{"device":"d1","celsius":{"$number":"-0"},"tags":["a"]}'],
    ['an io-ts type that encodes', t.type({ at: DateFromText }) as never, { at: new Date(0) }, '{"at":"1970-01-01T00:00:00.000Z"}'],
    ['a zod schema', z.object({ at: z.date(), n: z.bigint() }) as never, { at: new Date(0), n: 1n }, '{"at":{"$date":0},"n":{"$bigint":"1"}}'],
    ['a valibot schema', v.map(v.string(), v.number()) as never, new Map([['a', 1]]), '{"$map":[["a",1]]}'],
    ['a schema that is a function', Object.assign(() => 1, { '~standard': z.number()['~standard'] }) as never, 1, '1'],
    ['just a type', json<never>(), { deep: [undefined] }, '{"deep":[{"$undefined":true}]}'],
    ['a codec', money as never, new Money(5n), '{"cents":{"$bigint":"5"}}'],
  ])('becomes one shape: %s', (_, from, value, text) => {
    const made = stateCodec<unknown>(from)
    expect(made.toText(value)).toBe(text)
    expect(made.fromText(text, made.version)).toStrictEqual(value)
  })

  test('types and schemas have version 1, a codec its own', () => {
    expect([stateCodec(Reading), stateCodec(z.number()), stateCodec(json()), stateCodec(money)].map(({ version }) => version)).toEqual([1, 1, 1, 3])
  })

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a string', 'number'],
    ['a constructor', Number],
    ['an object without methods', {}],
    ['a codec without decode', { version: 1, encode: (value: unknown) => value }],
    ['a codec without version', { encode: () => 1, decode: () => 1 }],
    ['a codec of version 0', { version: 0, encode: () => 1, decode: () => 1 }],
    ['a codec of version 1.5', { version: 1.5, encode: () => 1, decode: () => 1 }],
    ['a standard without validate', { '~standard': {} }],
  ])('is refused when it is not one: %s', (_, from) => {
    expect(code(() => stateCodec(from as never))).toBe('CODEC_INVALID')
    expect(code(() => decodeWith(from as never))).toBe('CODEC_INVALID')
  })

  test('is refused when it is made without a part', () => {
    expect(code(() => codec({ encode: (value: number) => value } as never))).toBe('CODEC_INVALID')
    expect(code(() => codec({ version: -1, encode: (value) => value, decode: (stored) => stored }))).toBe('CODEC_INVALID')
  })

  test.prop([fc.record({ device: fc.string(), celsius: fc.double(), tags: fc.array(fc.string()) }, { noNullPrototype: true })])(
    'reads back what it wrote',
    (value) => {
      for (const made of [stateCodec(Reading), stateCodec(json<typeof value>())]) expect(made.fromText(made.toText(value), 1)).toStrictEqual(value)
    },
  )
})

describe('stored state that does not fit', () => {
  test('is refused with path and expected type, and without the value', () => {
    const error = failure(() => stateCodec(Reading, { uid: 'average' }).fromText('{"device":"hunter2","celsius":"hunter2","tags":[1]}', 1))
    expect(error.code).toBe('CODEC_MISMATCH')
    expect(error.details).toEqual({ uid: 'average', version: 1, reason: 'celsius: expected number; tags.0: expected string' })
    expect(error.message).not.toMatch(/hunter2/)
  })

  test.each<[string, CodecOf<unknown>, string]>([
    ['zod', z.object({ user: z.object({ age: z.number() }) }) as never, 'user.age: expected number'],
    ['valibot', v.object({ user: v.object({ age: v.number() }) }) as never, 'user.age: expected number'],
    [
      'valibot, when the path is not enough',
      v.object({ user: v.object({ age: v.pipe(v.string(), v.email()) }) }) as never,
      'user.age: expected email',
    ],
    [
      'a schema with messages only',
      schema<unknown>(() => ({ issues: [{ message: 'not hunter2', path: ['user', { key: 'age' }] }] })) as never,
      'user.age: expected what the schema accepts',
    ],
  ])('is refused by a schema of %s', (_, from, reason) => {
    const error = failure(() => stateCodec(from).fromText('{"user":{"age":"hunter2"}}', 1))
    expect([error.code, error.details['reason']]).toEqual(['CODEC_MISMATCH', reason])
    expect(error.message).not.toMatch(/hunter2/)
  })

  test('is refused with the error of the codec as its cause', () => {
    const own = new RangeError('hunter2')
    const made = stateCodec<number>({
      version: 1,
      encode: (value: number) => value,
      decode: () => {
        throw own
      },
    })
    const error = failure(() => made.fromText('1', 1))
    expect([error.code, error.details['reason'], error.cause]).toEqual(['CODEC_MISMATCH', 'decoding threw RangeError', own])
    expect(error.message).not.toMatch(/hunter2/)
  })

  test('names three problems and counts the others', () => {
    const error = failure(() => stateCodec(t.array(t.number)).fromText('["a","b","c","d","e"]', 1))
    expect(error.details['reason']).toBe('0: expected number; 1: expected number; 2: expected number; and 2 more')
  })

  test('damaged text is damage and not another shape', () => {
    expect(code(() => stateCodec(Reading).fromText('{"device":', 1))).toBe('SNAPSHOT_CORRUPT')
    expect(code(() => stateCodec(Reading).fromText('{"$date":"x"}', 1))).toBe('SNAPSHOT_CORRUPT')
  })
})

describe('older versions', () => {
  test('are read through every migration up to the version of the codec', () => {
    const made = stateCodec(money)
    expect(made.fromText('12', 1)).toStrictEqual(new Money(1200n))
    expect(made.fromText('{"$bigint":"12"}', 2)).toStrictEqual(new Money(12n))
    expect(made.fromText('{"cents":{"$bigint":"12"}}', 3)).toStrictEqual(new Money(12n))
  })

  test('a codec that replaces an io-ts type reads what the type wrote', () => {
    const written = stateCodec(t.type({ euros: t.number })).toText({ euros: 2 })
    const next = codec({
      version: 2,
      encode: (cents: number) => cents,
      decode: Number,
      migrations: { 1: (old) => (old as { euros: number }).euros * 100 },
    })
    expect(stateCodec(next).fromText(written, 1)).toBe(200)
  })

  test.each([0, 4, -1, 1.5, Number.NaN])('version %s is refused, with what would be supported', (version) => {
    const error = failure(() => stateCodec(money, { uid: 'total', state: 'sum' }).fromText('1', version))
    expect(error.code).toBe('STATE_VERSION_UNSUPPORTED')
    expect(error.details).toEqual({ uid: 'total', state: 'sum', found: version, supported: [1, 2, 3] })
  })

  test('a version without a migration is refused', () => {
    const made = stateCodec(codec<Money>({ ...money, migrations: { 2: (old) => old } }))
    expect(failure(() => made.fromText('1', 1)).details['supported']).toEqual([2, 3])
  })

  test('a migration that throws is a mismatch with its cause', () => {
    const error = failure(() => stateCodec(money).fromText('"hunter2"', 1))
    expect([error.code, error.details['reason']]).toEqual(['CODEC_MISMATCH', 'the migration from version 1 threw'])
    expect(error.cause).toBeInstanceOf(SyntaxError)
  })

  test.each<[string, object]>([
    ['a gap', { 1: () => 1 }],
    ['a migration from the own version', { 2: () => 1, 3: () => 1 }],
    ['a migration from version 0', { 0: () => 1, 1: () => 1, 2: () => 1 }],
    ['something that is no version', { latest: () => 1 }],
    ['something that is no function', { 2: 'old' }],
  ])('%s among the migrations is refused when the codec is used', (_, migrations) => {
    expect(code(() => stateCodec({ ...money, migrations } as never))).toBe('CODEC_INVALID')
  })
})

describe('a schema', () => {
  test('that is asynchronous is refused when the codec is made', () => {
    expect(code(() => stateCodec(schema(async (value) => ({ value }))))).toBe('CODEC_ASYNCHRONOUS')
    expect(code(() => decodeWith(schema(() => Promise.reject(new Error('nobody listens')))))).toBe('CODEC_ASYNCHRONOUS')
  })

  test('that hides it from undefined is refused at its first value, before anything is stored', () => {
    const hidden = z.string().refine(async () => true)
    expect(code(() => stateCodec(hidden).toText('a'))).toBe('CODEC_ASYNCHRONOUS')
    expect(code(() => stateCodec(hidden).fromText('"a"', 1))).toBe('CODEC_ASYNCHRONOUS')
    expect(code(() => decodeWith(hidden)('a'))).toBe('CODEC_ASYNCHRONOUS')
  })

  test('that cannot read what it returned is refused at its first value', () => {
    const error = failure(() => stateCodec<number>(z.string().transform(Number) as never, { uid: 'n' }).toText(5))
    expect([error.code, error.details]).toEqual(['VALUE_NOT_ENCODABLE', { uid: 'n', reason: 'the schema refuses it, value: expected string' }])
  })

  test('that throws on undefined may still be fine', () => {
    const touchy = stateCodec(
      schema((value) => {
        if (value === undefined) throw new Error('never undefined')
        return { value: value as number }
      }),
    )
    expect(touchy.fromText(touchy.toText(1), 1)).toBe(1)
  })

  test('is asked once when values are written', () => {
    let asked = 0
    const made = stateCodec(
      schema((value) => {
        asked += 1
        return { value: value as number }
      }),
    )
    asked = 0
    made.toText(1)
    made.toText(2)
    expect(asked).toBe(1)
  })
})

describe('what cannot be written', () => {
  test('is refused with who and where', () => {
    const error = failure(() => stateCodec(json<unknown>(), { uid: 'total' }).toText({ a: [() => 1] }))
    expect([error.code, error.details]).toEqual(['VALUE_NOT_ENCODABLE', { uid: 'total', path: 'value.a[0]', found: 'function' }])
  })

  test('an error of the encoder passes as it is', () => {
    const own = new RangeError('mine')
    const encode = (): never => {
      throw own
    }
    expect(failure(() => stateCodec({ version: 1, encode, decode: Number }).toText(1))).toBe(own)
  })
})

describe('data from outside', () => {
  test('gets its type, or a reason', () => {
    const decode = decodeWith(t.type({ at: DateFromText }))
    expect(decode({ at: '1970-01-01T00:00:00Z' })).toEqual(E.right({ at: new Date(0) }))
    expect(decode({ at: 'hunter2' })).toEqual(E.left('at: expected DateFromText'))
    expect(decode(7)).toEqual(E.left('value: expected { at: DateFromText }'))
  })

  test('gets what the schema makes of it: at an edge a transform is welcome', () => {
    expect(decodeWith(z.object({ n: z.string().transform(Number) }))({ n: '5' })).toEqual(E.right({ n: 5 }))
  })

  test('a codec that throws gives a reason, and one that does not check gives the data', () => {
    expect(decodeWith(money)(null)).toEqual(E.left('decoding threw TypeError'))
    expect(decodeWith(json<number>())('a')).toEqual(E.right('a'))
  })

  test('a reason is not longer than its limit', () => {
    const answer = decodeWith(t.record(t.string, t.number))({ ['x'.repeat(10_000)]: 'a' })
    expect(E.isLeft(answer) && answer.left.length).toBe(401)
  })
})

describe('types', () => {
  const take = <S, C>(from: C & CodecOf<S> & Restorable<C>): Codec<S> => from as unknown as Codec<S>

  test('the state is inferred from all of them', () => {
    expectTypeOf(take(t.type({ a: t.number }))).toEqualTypeOf<Codec<{ a: number }>>()
    expectTypeOf(take(z.object({ a: z.number() }))).toEqualTypeOf<Codec<{ a: number }>>()
    expectTypeOf(take(json<Date>())).toEqualTypeOf<Codec<Date>>()
    expectTypeOf(take(money)).toEqualTypeOf<Codec<Money>>()
    expectTypeOf(codec({ encode: (at: Date) => at.getTime(), decode: (stored) => new Date(stored as number) })).toExtend<Codec<Date>>()
  })

  test('a schema that transforms what it reads does not compile', () => {
    // @ts-expect-error -- a number cannot be read back as the string that the schema takes
    take(z.string().transform(Number))
    const transform = z.string().transform(Number)
    expectTypeOf<Restorable<typeof transform>>().toEqualTypeOf<SchemaMustNotTransform>()
  })
})
