import { describe, expect, it } from 'vitest'
import { journalLaws } from '../../laws/journalLaws.js'
import { storageLaws } from '../../laws/storageLaws.js'
import { serving, type TestServer } from '../support/server.js'
import { temporaryDirectory } from '../support/temporary.js'
import { bundledPage } from './bundledPage.js'
import { chromium, chromiumPath } from './chromium.js'

/** A site with one page, that runs a program; the address of the page. */
async function site(program: string): Promise<TestServer> {
  const code = await bundledPage(`test/browser/pages/${program}.ts`)
  return serving((response, { url }) => {
    if (url.startsWith('/counts')) response.writeHead(204).end()
    else if (url === '/program.js') response.writeHead(200, { 'content-type': 'text/javascript' }).end(code)
    else response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><script type="module" src="/program.js"></script>')
  })
}

it.skipIf(chromiumPath === undefined && process.env['RXWEIR_REQUIRE_SERVICES'] !== '1')('there is a browser to test with', () => {
  expect(chromiumPath, 'install the package chromium').toBeDefined()
})

describe.skipIf(chromiumPath === undefined)('in Chromium', () => {
  it.each([
    ['as they are', ''],
    ['sealed', '?sealed'],
  ])('the laws of storages and journals hold for values %s', async (_, asked) => {
    const { url } = await site('laws')
    const tab = await chromium(await temporaryDirectory()).open(`${url}/${asked}`)
    expect(await tab.said((text) => text.startsWith('held'))).toBe(`held: ${lawCount}`)
  })

  /** All that have two tabs, all of journals, and one that needs no other tab. */
  const never = (): never => {
    throw new Error('only the page makes storages')
  }
  const lawCount = storageLaws(never, { twoProcesses: true }).length + journalLaws(never).length + 1

  const count = 300
  const expected = Array.from({ length: count }, (_, number) => `${number}: ${Math.floor(number / 7) + 1}`)

  it.each([
    ['a job', ''],
    ['a job that seals what it stores', '&key=1'],
  ])('%s, whose browser is killed, goes on where it was, and loses and doubles nothing', async (_, key) => {
    const { url, asked } = await site('counting')
    const profile = await temporaryDirectory()
    const posted = () => asked.filter((each) => each.url === '/counts')
    const linesPosted = (): readonly string[] => {
      const batches = new Map<unknown, string>()
      for (const { headers, body } of posted()) {
        const key = headers['idempotency-key']
        // What is posted again under its key is the same.
        expect(batches.get(key) ?? body).toBe(body)
        batches.set(key, body)
      }
      return [...batches.values()].flatMap((body) => JSON.parse(body) as readonly string[])
    }
    const until = async (lines: number): Promise<void> => {
      while (linesPosted().length < lines) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    const pageWith = (key: string): string => `${url}/?count=${count}&otherTabMs=50${key}`
    const page = pageWith(key)
    for (const lines of [50, 150]) {
      const browser = chromium(profile)
      await browser.open(`${page}&waitAt=${lines + 50}`)
      await until(lines)
      await browser.kill()
    }
    const browser = chromium(profile)
    if (key !== '') {
      const before = posted().length
      const refused = async (other: string): Promise<string> => (await browser.open(pageWith(other))).said((text) => text.startsWith('refused'))
      expect(await refused('&key=2')).toBe('refused: KEY_WRONG')
      expect(await refused('')).toBe('refused: KEY_MISSING')
      expect(posted().length).toBe(before)
    }
    const tab = await browser.open(page)
    expect(await tab.said((text) => text === 'done')).toBe('done')
    expect(linesPosted()).toEqual(expected)
  })

  it('one of two tabs runs a job, and the other one goes on when it is closed', async () => {
    const { url, asked } = await site('counting')
    const browser = chromium(await temporaryDirectory())
    const page = (otherTabMs: number): string => `${url}/?count=${count}&otherTabMs=${otherTabMs}`
    const first = await browser.open(`${page(0)}&waitAt=200`)
    while (!asked.some((each) => each.url === '/counts')) await new Promise((resolve) => setTimeout(resolve, 5))
    const second = await browser.open(page(0))
    expect(await second.said((text) => text === 'in use')).toBe('in use')
    const third = await browser.open(page(20_000))
    await first.close()
    expect(await third.said((text) => text === 'done')).toBe('done')
    const lines = new Map(asked.filter((each) => each.url === '/counts').map(({ headers, body }) => [headers['idempotency-key'], body]))
    expect([...lines.values()].flatMap((body) => JSON.parse(body) as readonly string[])).toEqual(expected)
  })
})
