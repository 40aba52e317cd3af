import { compare } from '../../laws/simulation/compare.js'
import type { Violation } from '../../laws/simulation/violation.js'
import { expectedLines, type Output, outputs } from './workload.js'

/** What is wrong with what the sinks hold in the end, against a plain loop over the same records. */
export function judged(seed: number, ends: readonly number[], found: { readonly [O in Output]: readonly string[] }): readonly Violation[] {
  const expected = expectedLines(seed, ends)
  return outputs.flatMap((output) =>
    compare(
      output,
      found[output].map((text) => ({ key: keyIn(text), text })),
      expected[output].map((line) => ({ key: line.key, text: JSON.stringify(line) })),
      'perKey',
    ),
  )
}

function keyIn(text: string): string {
  try {
    return String((JSON.parse(text) as { readonly key: unknown }).key)
  } catch {
    return ''
  }
}
