import { ClassicLevel } from 'classic-level'
import { expect, it } from 'vitest'
import { level } from '../../backends/level/level.js'
import { takenOver } from '../support/checkpoints.js'
import { temporaryDirectory } from '../support/temporary.js'
import { started } from './started.js'

/** The rows that checkpoint `newest` has. */
function expectedRows(newest: number): object {
  const rows: { [key: string]: string } = {}
  for (let id = 1; id <= newest; id += 1) {
    rows['newest'] = String(id)
    rows[`key ${id % 50}`] = String(id)
    if (id > 20) delete rows[`key ${(id + 25) % 50}`]
  }
  return rows
}

it('a process that is killed while it publishes to a database on the disk leaves its newest complete checkpoint, whole', async () => {
  const path = await temporaryDirectory()
  let complete = 0
  for (const more of [30, 77]) {
    const { child, ended, message } = started('test/process/publishing.ts', [path])
    child.on('message', (id) => {
      complete = Number(id)
    })
    const upTo = complete + more
    await message<number>((id) => id >= upTo)
    child.kill('SIGKILL')
    expect(await ended).toMatchObject({ signal: 'SIGKILL', errors: '' })
    const database = new ClassicLevel(path)
    const { session, rows } = await takenOver(level(database))
    const newest = Number(rows?.['newest'])
    // What was told is there; one more may be that was not told any more.
    expect([complete, complete + 1]).toContain(newest)
    expect(rows).toEqual(expectedRows(newest))
    await session.close()()
    await database.close()
    complete = newest
  }
})
