import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { random } from '../../examples/flights/random.js'
import type { Delivered } from '../../lib/intake/delivered.js'
import { type Counted, Findings } from '../support/countedValues.js'
import { temporaryDirectory } from '../support/temporary.js'
import { bundled } from './bundled.js'
import type { HotNews, HotOrders } from './hot.js'
import { started } from './started.js'

const lives = 6
/** Other seeds: RXWEIR_SEED=7 npx vitest run test/process/hotSource.test.ts */
const seed = Number(process.env.RXWEIR_SEED ?? 1)

async function newsIn(path: string): Promise<readonly HotNews[]> {
  const text = await readFile(path, 'utf8').catch(() => '')
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as HotNews)
}

for (const delivery of ['immediate', 'withCheckpoint'] as const)
  it(`a process that is killed while its source cannot repeat itself counts each number that it answered for once (${delivery}, seed ${seed})`, async () => {
    const folder = await temporaryDirectory()
    const program = await bundled('test/process/hot.ts')
    const findings = new Findings()
    const draw = random(seed)
    let from = 0
    let killed = 0
    for (let life = 1; life <= lives; life += 1) {
      const news = `${folder}/news-${life}`
      const orders: HotOrders = { folder, news, delivery, from, count: 300, ...(life < lives ? { dieAt: 1 + Math.floor(draw() ** 2 * 60) } : {}) }
      from += orders.count
      const { signal, errors } = await started(program, [JSON.stringify(orders)]).ended
      expect(errors).toBe('')
      for (const said of await newsIn(news)) {
        if (said.kind === 'failed') findings.wrong.push(said.message)
        if (said.kind !== 'result') continue
        if (delivery === 'immediate') findings.saw(said.result as Counted)
        else findings.delivered(said.result as Delivered<Counted>)
      }
      if (signal === 'SIGKILL') killed += 1
    }
    findings.close()
    expect(findings.wrong).toEqual([])
    expect(findings.results).toBeGreaterThan(300)
    expect(killed).toBeGreaterThan(2)
  })
