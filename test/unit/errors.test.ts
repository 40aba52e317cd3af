import { describe, expect, test } from 'vitest'
import {
  BackendError,
  CheckpointError,
  ConfigurationError,
  type ErrorCode,
  errorTable,
  hasCode,
  InvariantViolation,
  invariant,
  RestoreError,
  RxweirError,
  SinkError,
  SourceError,
  StreamError,
  unreachable,
} from '../../lib/errors.js'
import { jobName, operatorUid } from '../../lib/identity.js'
import { atLeast, defaultLimits, limitsOf } from '../../lib/limits.js'

const classes = { ConfigurationError, StreamError, CheckpointError, BackendError, RestoreError, SourceError, SinkError }

describe('errors', () => {
  test.each(Object.entries(errorTable))('%s says what it means, whom it names and what to do', (code, { class: name, meaning, hint }) => {
    const cause = new Error('cause')
    const error = new classes[name](code as never, { uid: 'op', found: 3, list: ['a', 1] }, { cause })
    expect(error).toMatchObject({ name, code, hint, cause, details: { uid: 'op', found: 3, list: ['a', 1] } })
    expect(error).toBeInstanceOf(RxweirError)
    expect(error.message).toBe(`${code}: ${meaning} (uid: "op", found: 3, list: ["a", 1]). Hint: ${hint}`)
    expect(hasCode(error, code as ErrorCode)).toBe(true)
  })

  test('hasCode asks the code, not the class: two copies of the module may be loaded', () => {
    expect(hasCode(Object.assign(new Error(), { code: 'BACKEND_IO' }), 'BACKEND_IO')).toBe(true)
    expect(hasCode(new BackendError('BACKEND_IO'), 'BACKEND_FULL')).toBe(false)
    for (const nothing of [undefined, null, 'BACKEND_IO', { code: 'BACKEND_IO' }]) expect(hasCode(nothing, 'BACKEND_IO')).toBe(false)
  })

  test('a mistake of ours is told as such, and carries no code', () => {
    expect(() => invariant(false, 'water is wet')).toThrow(InvariantViolation)
    expect(() => invariant(false, 'water is wet')).toThrow('it does not hold that water is wet. This is a bug in rxweir')
    expect(() => unreachable('x' as never)).toThrow(InvariantViolation)
  })
})

describe('names', () => {
  test.each(['a', 'A-b_c.9', '__proto__', 'x'.repeat(100), 'console', 'com', 'nullable'])('%s is one', (name) => {
    expect([jobName(name), operatorUid(name)]).toEqual([name, name])
  })

  test.each([
    '',
    ' ',
    'a b',
    'a/b',
    'a\\b',
    'ä',
    '.',
    '..',
    '...',
    'a.',
    'con',
    'CON.txt',
    'nul',
    'lpt1',
    'a\u0000',
    'x'.repeat(101),
    7,
    null,
    undefined,
  ])('%j is none', (name) => {
    expect(() => operatorUid(name as string)).toThrow(expect.objectContaining({ code: 'NAME_INVALID' }))
  })
})

describe('limits', () => {
  test('are the defaults where nothing is said', () => {
    expect(limitsOf()).toEqual(defaultLimits)
    expect(limitsOf({ rowsMax: 5 })).toEqual({ ...defaultLimits, rowsMax: 5 })
  })

  test.each([0, -1, 1.5, Number.NaN, '1', null, Number.NEGATIVE_INFINITY])('%o is none', (value) => {
    expect(() => limitsOf({ entryQueueMax: value as number })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', details: expect.objectContaining({ option: 'limits.entryQueueMax' }) }),
    )
  })

  test('may be infinite, and hold at their least value', () => {
    expect(() => atLeast('x', Number.POSITIVE_INFINITY, 1)).not.toThrow()
    expect(() => atLeast('x', 1, 1)).not.toThrow()
  })
})
