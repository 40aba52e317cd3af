import { expect } from 'vitest'

/** Compares what an example yields with what it claims. */
export async function assertSame(actual: () => Promise<unknown>, expected: () => unknown, where: string): Promise<void> {
  expect(await actual(), where).toEqual(expected())
}
