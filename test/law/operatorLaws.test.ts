import { basename } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type OperatorUnderLaw, operatorLaws } from '../../laws/operatorLaws.js'
import { operate } from '../../lib/operate.js'
import { sourceFiles } from '../tidy/sourceFiles.js'
import { operatorMatrix } from './operatorMatrix.js'

const operators = sourceFiles(['operators'])
  .map((path) => path.replace(/^operators\/|\.ts$/g, ''))
  .filter((name) => basename(name) !== 'index')

describe('the matrix', () => {
  it.each(operators)('has %s', (name) => {
    expect(operatorMatrix[name], `operators/${name}.ts has no laws: add them to test/law/operatorMatrix.ts`).toBeDefined()
  })

  it('has nothing but operators', () => {
    expect(Object.keys(operatorMatrix).filter((name) => !operators.includes(name))).toEqual([])
  })
})

for (const [name, entry] of Object.entries(operatorMatrix))
  if (!('none' in entry))
    describe(name, () => {
      for (const law of entry) it(`${law.name}: ${law.statement}`, () => law.check())
    })

describe('an operator that breaks a law is caught', () => {
  /** Adds up what it has seen, and is wrong in one way. */
  const broken = (wrong: 'forgets' | 'mixesKeys' | 'countsSnapshots' | 'guesses'): OperatorUnderLaw<number>['apply'] =>
    operate<number, number>({
      name: 'sum',
      uid: 'sum',
      keyed: true,
      create({ output }) {
        let all = 0
        const sums = new Map<unknown, number>()
        const sumOf = (key: unknown): number => (wrong === 'mixesKeys' ? all : (sums.get(key) ?? 0))
        return {
          processRecord(value, timestamp, key) {
            all += value
            sums.set(key, (sums.get(key) ?? 0) + value)
            if (wrong === 'guesses') guesses += 1
            output.processRecord(sumOf(key) + (wrong === 'guesses' ? guesses : 0), timestamp, key)
          },
          snapshotState() {
            if (wrong === 'countsSnapshots') for (const [key, sum] of sums) sums.set(key, sum + 1)
            return wrong === 'forgets' ? [] : ([...sums] as never)
          },
          restoreState(stored) {
            for (const [key, sum] of stored as [string, number][]) {
              sums.set(key, sum)
              all += sum
            }
          },
        }
      },
    })
  let guesses = 0
  const canaries = [
    ['restore-equivalence', 'forgets'],
    ['key-isolation', 'mixesKeys'],
    ['barrier-transparency', 'countsSnapshots'],
    ['snapshot-purity', 'countsSnapshots'],
    ['determinism', 'guesses'],
  ] as const
  for (const [name, wrong] of canaries)
    it(`by ${name}`, async () => {
      const laws = operatorLaws<number>({ apply: broken(wrong), values: fc.integer({ min: 1, max: 9 }), key: (n) => n % 3 })
      await expect(laws.find((law) => law.name === name)?.check({ seed: 1 })).rejects.toThrow(`The law ${name} does not hold`)
    })
})
