import * as rx from 'rxjs'
import * as ajax from 'rxjs/ajax'
import * as fetching from 'rxjs/fetch'
import * as webSocket from 'rxjs/webSocket'
import { collect, lift, records } from 'rxweir'
import { describe, expect, it } from 'vitest'
import { doors } from '../../scripts/doors.js'
import { textOf } from '../tidy/sourceFiles.js'

const ofRxjs = new Set([rx, ajax, fetching, webSocket].flatMap((module) => Object.keys(module)))

/** What rxjs exports beside operators and what makes Observables. */
const noOperators = new Set(
  'animationFrame animationFrameScheduler asap asapScheduler async asyncScheduler config firstValueFrom identity isObservable lastValueFrom noop observable pipe queue queueScheduler'.split(
    ' ',
  ),
)
const isClass = (name: string): boolean => /^[A-Z][a-z]/.test(name)
const operators = Object.keys(rx).filter((name) => !noOperators.has(name) && !isClass(name))

const inBackticks = (cell: string): readonly string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code as string)
const rows = textOf('docs/fromRxjs.md')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split(' | '))
  .map(([operators = '', inside = '']) => ({ operators: inBackticks(operators), inside: inBackticks(inside) }))
const named = rows.flatMap(({ operators }) => operators)

/** Everything that a program can import, a twin by its name behind `durable.`. */
const exported = new Set<string>()
for (const { name } of doors) {
  const module: object = await import(/* @vite-ignore */ name)
  for (const key of Object.keys(module)) exported.add(name === 'rxweir/durable' ? `durable.${key}` : key)
}

describe('docs/fromRxjs.md', () => {
  it('has every operator of rxjs once, and no other', () => {
    expect([...named].sort()).toEqual([...operators, 'ajax', 'fromFetch', 'webSocket'].sort())
    expect(named.filter((name) => !ofRxjs.has(name))).toEqual([])
  })

  it('promises only what is exported', () => {
    /** What is no promise: options, and operators of rxjs that stay as they are. */
    const isOther = (code: string): boolean => /^(\w+: |'|observeOn\(asapScheduler\)$)/.test(code) || options.has(code)
    const options = new Set(['clock', 'id', 'ttl', 'try', 'otherwise', 'timeoutMs', 'process', 'tap'])
    const promised = rows.flatMap(({ inside }) => inside).map((code) => /^lift\((\w+)\)$/.exec(code)?.[1] ?? code)
    const lifted = new Set(rows.flatMap(({ inside }) => inside.flatMap((code) => /^lift\((\w+)\)$/.exec(code)?.[1] ?? [])))
    expect(promised.filter((code) => !exported.has(code) && !lifted.has(code) && !isOther(code))).toEqual([])
    expect(promised.filter((code) => exported.has(code)).length).toBeGreaterThan(60)
    expect([...lifted].sort()).toEqual([...samples.keys()].sort())
  })

  it('names every twin', () => {
    const twins = [...exported].filter((name) => name.startsWith('durable.'))
    expect(twins.filter((name) => !rows.some(({ inside }) => inside.includes(name)))).toEqual([])
  })

  const samples = new Map<string, rx.OperatorFunction<number, unknown>>([
    ['map', rx.map((n: number) => n * 10)],
    ['filter', rx.filter((n: number) => n > 1)],
    ['ignoreElements', rx.ignoreElements()],
  ])
  it.each([...samples])('lift(%s) does what it does in rxjs', async (_name, operator) => {
    const numbers = rx.of(1, 2, 3)
    expect(await collect(numbers.pipe(records(), lift(operator)))).toEqual(await rx.lastValueFrom(numbers.pipe(operator, rx.toArray())))
  })
})
