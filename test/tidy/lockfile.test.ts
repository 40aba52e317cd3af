import { describe, expect, it } from 'vitest'
import { textOf } from './sourceFiles.js'

interface Locked {
  readonly version?: string
  readonly resolved?: string
  readonly link?: boolean
  readonly optionalDependencies?: { readonly [name: string]: string }
}
const locked = (JSON.parse(textOf('package-lock.json')) as { packages: { readonly [path: string]: Locked } }).packages

describe('the lock file', () => {
  it('names no registry, so that it installs from any', () => {
    const addresses = Object.values(locked).flatMap(({ resolved, link }) => (resolved === undefined || link === true ? [] : [resolved]))
    expect(addresses).toEqual([])
  })

  it('has the packages of other platforms too, so that npm ci works there', () => {
    const wanted = Object.values(locked).flatMap(({ optionalDependencies }) => Object.keys(optionalDependencies ?? {}))
    expect(wanted.filter((name) => locked[`node_modules/${name}`]?.version === undefined)).toEqual([])
  })
})

it('package.json pins what we build and test with', () => {
  const { devDependencies } = JSON.parse(textOf('package.json')) as { devDependencies: { readonly [name: string]: string } }
  expect(Object.entries(devDependencies).filter(([, version]) => !/^(\d+\.\d+\.\d+(-[\w.]+)?|file:.+)$/.test(version))).toEqual([])
})
