import fc from 'fast-check'

export interface ShortOrLongOptions {
  readonly maxLength: number
  readonly minLength?: number
}

/**
 * Arrays of which five in six have up to ten elements, and the others any number up to `maxLength`.
 *
 * fast-check alone stays near ten, whatever `maxLength` says, and what goes wrong late would never be seen. Many short ones are quick, and
 * leave more runs for what is unlikely.
 */
export function shortOrLong<T>(each: fc.Arbitrary<T>, { maxLength, minLength = 0 }: ShortOrLongOptions): fc.Arbitrary<T[]> {
  return fc.oneof(
    { weight: 5, arbitrary: fc.array(each, { minLength, maxLength, size: 'small' }) },
    { weight: 1, arbitrary: fc.array(each, { minLength, maxLength, size: 'max' }) },
  )
}
