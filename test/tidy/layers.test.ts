import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { cruise, type ICruiseResult, type IFlattenedRuleSet } from 'dependency-cruiser'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root } from './sourceFiles.js'

const { options, ...ruleSet } = createRequire(import.meta.url)(join(root, '.dependency-cruiser.cjs')) as IFlattenedRuleSet & { options: object }

/** Each planted file has one forbidden import; the rule that must catch it stands beside it. */
const planted: readonly (readonly [file: string, imports: string, rule: string])[] = [
  ['lib/readsNode.ts', 'node:fs', 'lib-stands-alone'],
  ['lib/usesOperator.ts', '../operators/good.js', 'lib-stands-alone'],
  ['lib/usesBackend.ts', '../backends/memory/good.js', 'lib-stands-alone'],
  ['lib/usesLaw.ts', '../laws/good.js', 'lib-stands-alone'],
  ['lib/usesFastCheck.ts', 'fast-check', 'lib-stands-alone'],
  ['lib/namesPackage.ts', 'rxweir', 'lib-stands-alone'],
  ['lib/usesFpTsSubpath.ts', 'fp-ts/lib/Either.js', 'fp-ts-from-its-root'],
  ['lib/missesFile.ts', './nowhere.js', 'no-unresolvable'],
  ['lib/ring.ts', './ringOther.js', 'no-cycles'],
  ['lib/usesDoor.ts', './index.js', 'doors-are-for-outside'],
  ['operators/readsNode.ts', 'node:fs', 'operators-on-lib'],
  ['operators/usesBackend.ts', '../backends/memory/good.js', 'operators-on-lib'],
  ['operators/usesLaw.ts', '../laws/good.js', 'operators-on-lib'],
  ['backends/memory/usesRxjs.ts', 'rxjs', 'backends-on-lib'],
  ['backends/memory/usesOperator.ts', '../../operators/good.js', 'backends-on-lib'],
  ['backends/memory/usesLaw.ts', '../../laws/good.js', 'backends-on-lib'],
  ['backends/memory/usesSibling.ts', '../directory/good.js', 'backends-without-siblings'],
  ['backends/indexeddb/readsNode.ts', 'node:fs', 'browser-backends-without-node'],
  ['laws/usesOperator.ts', '../operators/good.js', 'laws-on-lib'],
  ['laws/usesBackend.ts', '../backends/memory/good.js', 'laws-on-lib'],
  ['laws/usesTestRunner.ts', 'vitest', 'laws-on-lib'],
  ['laws/readsNode.ts', 'node:fs', 'laws-on-lib'],
  ['index.ts', './laws/good.js', 'root-is-a-door'],
  ['bench/reachesIn.ts', '../lib/good.js', 'programs-name-the-package'],
  ['examples/reachesIn.ts', '../operators/good.js', 'programs-name-the-package'],
  ['examples/reachesDoor.ts', '../index.js', 'programs-name-the-package'],
]

/** Imports that must pass. */
const allowed: readonly (readonly [file: string, ...imports: string[]])[] = [
  ['lib/good.ts', 'rxjs', 'fp-ts', 'io-ts', '@standard-schema/spec'],
  ['lib/index.ts', './good.js'],
  ['lib/ringOther.ts', './ring.js'],
  ['operators/good.ts', '../lib/good.js', 'rxjs'],
  ['operators/derived.ts', './good.js'],
  ['backends/memory/good.ts', '../../lib/good.js', 'fp-ts'],
  ['backends/directory/good.ts', '../../lib/good.js', 'node:fs', './part.js'],
  ['backends/directory/part.ts'],
  ['laws/good.ts', '../lib/good.js', 'rxjs', 'fast-check'],
  ['bench/main.ts', 'rxweir', './peer.js', 'node:fs'],
  ['bench/peer.ts', 'rxjs'],
  ['examples/main.ts', 'rxweir', 'rxweir/backends/directory'],
]

describe('the layers', () => {
  mkdirSync(join(root, '.tmp'), { recursive: true })
  const folder = mkdtempSync(join(root, '.tmp/layers-'))
  let found: readonly { readonly from: string; readonly rule: string }[] = []

  beforeAll(async () => {
    const files = [...planted.map(([file, specifier]) => [file, specifier] as const), ...allowed]
    for (const [file, ...specifiers] of files) {
      mkdirSync(dirname(join(folder, file)), { recursive: true })
      // Imports of types only count as imports: a layer is not crossed by a type either.
      const lines = specifiers.map((specifier, index) =>
        index % 2 === 0 ? `import type * as x${index} from '${specifier}'` : `import '${specifier}'`,
      )
      writeFileSync(join(folder, file), `${lines.join('\n')}\nexport const here = true\n`)
    }
    const result = await cruise(['.'], { ...options, baseDir: folder, ruleSet, validate: true })
    found = (result.output as ICruiseResult).summary.violations.map(({ from, rule }) => ({ from, rule: rule.name }))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it.each(planted)('%s may not import %s', (file, _imports, rule) => {
    expect(found.filter(({ from }) => from === file).map((violation) => violation.rule)).toContain(rule)
  })

  it('let everything else pass', () => {
    const mayPass = new Set(allowed.map(([file]) => file).filter((file) => file !== 'lib/ringOther.ts'))
    expect(found.filter(({ from }) => mayPass.has(from))).toEqual([])
  })

  it('have no rule without a planted violation', () => {
    const rules = (ruleSet.forbidden ?? []).map(({ name }) => name)
    expect(rules.filter((name) => !planted.some(([, , rule]) => rule === name))).toEqual([])
  })
})
