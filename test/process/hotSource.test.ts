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

for (const delivery of ['immediate', 'withCheckpoint'] as const)
  it(`a process that is killed while its source cannot repeat itself counts each number that it answered for once (${delivery}, seed ${seed})`, async () => {
    const folder = await temporaryDirectory()
    const program = await bundled('test/process/hot.ts')
    const findings = new Findings()
    const draw = random(seed)
    let from = 0
    let killed = 0
    for (let life = 1; life <= lives; life += 1) {
      const orders: HotOrders = { folder, delivery, from, count: 300, ...(life < lives ? { dieAt: 1 + Math.floor(draw() ** 2 * 60) } : {}) }
      from += orders.count
      const process = started(program, [JSON.stringify(orders)])
      process.child.on('message', (news: HotNews) => {
        if (news.kind === 'failed') findings.wrong.push(news.message)
        if (news.kind !== 'result') return
        if (delivery === 'immediate') findings.saw(news.result as Counted)
        else findings.delivered(news.result as Delivered<Counted>)
      })
      const { signal, errors } = await process.ended
      expect(errors).toBe('')
      if (signal === 'SIGKILL') killed += 1
    }
    findings.close()
    expect(findings.wrong).toEqual([])
    expect(findings.results).toBeGreaterThan(300)
    expect(killed).toBeGreaterThan(2)
  })
