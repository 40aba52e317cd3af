import { defaultMaxParallelism, keyGroupOf, keyGroupRange, keyHash, murmurHash, operatorIndexOf } from '../../../lib/keyGroup.js'
import { type Case, type Fields, unknown } from '../model.js'
import { equal } from '../play.js'

/** Key groups, from keys, from hashes, to instances. */
export function keyGroups(golden: Case): void {
  const { maxParallelism, parallelism, fn } = golden.config
  const functions: { readonly [name: string]: (input: Fields) => Fields } = {
    computeKeyGroupForKeyHash: ({ hash }) => ({ keyGroup: murmurHash(hash) % maxParallelism }),
    assignToKeyGroup: (input) => ofKey(input['key'], maxParallelism),
    'assignToKeyGroup / assignKeyToParallelOperator': (input) => ofKey(input['key'], maxParallelism),
    computeKeyGroupRangeForOperatorIndex: ({ operatorIndex }) => {
      const { first, last } = keyGroupRange(operatorIndex, parallelism, maxParallelism)
      return { rangeInclusive: [first, last] }
    },
    computeOperatorIndexForKeyGroup: ({ keyGroup }) => ({ operatorIndex: operatorIndexOf(keyGroup, parallelism, maxParallelism) }),
    computeDefaultMaxParallelism: (input) => ({ maxParallelism: defaultMaxParallelism(input['parallelism']) }),
  }
  const answer = functions[fn]
  if (answer === undefined) throw unknown('function of key groups', fn)
  for (const expected of golden.expected) {
    const input = golden.input[expected['after']] as Fields
    const found = answer(input)
    for (const [name, wanted] of Object.entries(expected)) if (name !== 'after') equal(`${JSON.stringify(input)} ${name}`, wanted, found[name])
  }
}

/** A long of another language is a number or a bigint here: both lie in the same group. */
function ofKey(stored: unknown, maxParallelism: number): Fields {
  const bigint = (stored as { readonly bigint?: string } | null)?.bigint
  const key = bigint === undefined ? (stored as string) : Number.isSafeInteger(Number(bigint)) ? Number(bigint) : BigInt(bigint)
  const keyGroup = keyGroupOf(key, maxParallelism)
  if (bigint !== undefined) equal(`the group of ${bigint} as a bigint`, keyGroup, keyGroupOf(BigInt(bigint), maxParallelism))
  const subtasks = [1, 2, 3, 4, 5, 6, 7, 8].map((parallelism) => [
    `subtaskWithParallelism${parallelism}`,
    operatorIndexOf(keyGroup, parallelism, maxParallelism),
  ])
  return { javaHashCode: keyHash(key), keyGroup, ...Object.fromEntries(subtasks) }
}
