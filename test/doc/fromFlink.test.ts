import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { doors } from '../../scripts/doors.js'
import { root, textOf } from '../tidy/sourceFiles.js'

const inBackticks = (cell: string): readonly string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code as string)
const rows = textOf('docs/fromFlink.md')
  .split('\n')
  .filter((line) => /^\| `[\w.]+`/.test(line))
  .map((line) => line.split(' | '))
  .map(([flink = '', here = '']) => ({ flink: inBackticks(flink), here: inBackticks(here) }))

/** Everything that a program can import: values by what the doors have, types by what they say. */
const exported = new Set<string>()
for (const { name, file } of doors) {
  for (const key of Object.keys((await import(/* @vite-ignore */ name)) as object)) exported.add(key)
  for (const [, type] of textOf(`${file}.ts`).matchAll(/\b(?:type )?([A-Z]\w+)\b/g)) exported.add(type as string)
}
for (const [, type] of textOf('lib/index.ts').matchAll(/\b([A-Z]\w+)\b/g)) exported.add(type as string)

/** The declarations of the library, where options and methods of contexts have their names. */
const declarations = ['lib', 'operators', 'backends']
  .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => `${folder}/${file}`))
  .filter((file) => file.endsWith('.ts'))
  .map(textOf)
  .join('\n')
const isMember = (name: string): boolean => new RegExp(`^ +(?:readonly |get )?${name.replace('$', '[$]')}[?]?[(:<]`, 'm').test(declarations)

describe('docs/fromFlink.md', () => {
  it('promises only what is exported, and members that are there', () => {
    const promised = rows.flatMap(({ here }) => here)
    expect(promised.filter((name) => !exported.has(name) && !isMember(name))).toEqual([])
    expect(promised.filter((name) => exported.has(name)).length).toBeGreaterThan(60)
  })

  it('finds members, and misses what is none', () => {
    expect(isMember('tolerableFailures')).toBe(true)
    expect(isMember('tolerableCheckpointFailureNumber')).toBe(false)
  })

  it('names something of Flink in every row', () => {
    expect(rows.filter(({ flink }) => flink.length === 0)).toEqual([])
    expect(new Set(rows.flatMap(({ flink }) => flink)).size).toBeGreaterThan(100)
  })

  it('names every assigner, trigger, evictor, state and restart strategy of the library', () => {
    const here = new Set(rows.flatMap((row) => row.here))
    const kinds = [...exported].filter((name) => /^[a-z]\w*(State|Trigger|Evictor|Delay|Rate|Restart)$/.test(name))
    expect(kinds.length).toBeGreaterThan(10)
    expect(kinds.filter((name) => !here.has(name))).toEqual(['endOfStreamTrigger', 'neverTrigger'].filter((name) => kinds.includes(name)))
  })
})
