/** Publishes checkpoints in a database on the disk until it is killed, and tells each one that is complete. */
import { ClassicLevel } from 'classic-level'
import { level } from '../../backends/level/level.js'
import { unwrap } from '../../lib/task.js'
import { published, takenOver } from '../support/checkpoints.js'

const [path = ''] = process.argv.slice(2)
const { session, rows } = await takenOver(level(new ClassicLevel(path)))
for (let id = Number(rows?.['newest'] ?? 0) + 1; ; id += 1) {
  await unwrap(
    published(session, id, { newest: String(id), [`key ${id % 50}`]: String(id), ...(id > 20 ? { [`key ${(id + 25) % 50}`]: undefined } : {}) }),
  )
  process.send?.(id)
}
