import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { afterAll, describe, expect, it } from 'vitest'
import { doors, manifest } from '../../scripts/doors.js'
import { type Consumer, consumer, required } from './consumer.js'

const least: Consumer = consumer(...required)
afterAll(() => least.remove())

/** What a browser would load of a program, in bytes after gzip. An import of anything of Node has no place to lead to. */
async function bundled(code: string, external: readonly string[] = []): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: least.folder, loader: 'js' },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    external: [...external],
    logLevel: 'silent',
  })
  const { contents } = outputFiles[0] as (typeof outputFiles)[number]
  return contents.length === 0 ? 0 : gzipSync(contents).length
}

/** The sizes that docs/performance.md tells, and a little more: whoever makes one larger says so there. */
const limits: readonly (readonly [what: string, code: string, kilobytes: number])[] = [
  ['all of rxweir', "export * from 'rxweir'", 90],
  ['all operators', "export * from 'rxweir/operators'", 84],
  ['all twins', "export * from 'rxweir/durable'", 40],
  ['the storage of browsers', "export * from 'rxweir/backends/indexeddb'", 37],
  ['what is in memory', "export * from 'rxweir/backends/memory'", 23],
  ['one operator', "export { statefulMap } from 'rxweir'", 30],
  ['one twin', "export { scan } from 'rxweir/durable'", 34],
  ['a job in a page', "export { defineJob, keyBy, statefulMap } from 'rxweir'; export { indexeddb } from 'rxweir/backends/indexeddb'", 78],
]

describe('in a browser', () => {
  it.each(limits)('%s needs no polyfill and stays small', async (_what, code, kilobytes) => {
    const bytes = await bundled(code, ['rxjs'])
    expect(bytes).toBeLessThan(kilobytes * 1000)
    // A limit that is far away limits nothing.
    expect(bytes).toBeGreaterThan(kilobytes * 700)
  })

  it('all of it goes into one file together with rxjs', async () => {
    const all = doors.filter(({ name }) => limits.some(([, code]) => code.includes(`'${name}'`)))
    expect(all).toHaveLength(5)
    expect(await bundled(all.map(({ name }, index) => `export * as all${index} from '${name}'`).join('\n'))).toBeGreaterThan(0)
  })

  it('a backend of Node is refused', async () => {
    await expect(bundled("export * from 'rxweir/backends/directory'")).rejects.toThrow(/node:/)
  })

  it('what is imported and not used takes no room', async () => {
    expect((manifest() as { readonly sideEffects?: unknown }).sideEffects).toBe(false)
    expect(await bundled("import { defineJob } from 'rxweir'\nimport { memory } from 'rxweir/backends/memory'\nimport 'rxweir/durable'")).toBe(0)
  })
})
