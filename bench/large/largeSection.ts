import { inChild } from '../inChild.js'
import { markdown, type Section } from '../section.js'
import type { LargeMeasurement, LargeRequest } from './measureLarge.js'

/** What the processes may have for their heap. */
const heapMb = 192

/** State of many keys in a store, in a process whose heap is far too small for it. */
export const largeSection: Section = {
  name: 'large',
  async run({ quick, progress }) {
    const keys = quick ? 300_000 : 2_000_000
    const request: LargeRequest = { keys, updates: keys / 4, cacheMb: 32, dirtyMb: 16 }
    const { come, again, restartMs, heapPeakMb, fileMb, checkpoints } = await inChild<LargeMeasurement>('large', request, heapMb)
    const rows = [[`${come} records/s`, `${again} records/s`, `${restartMs} ms`, `${heapPeakMb} MB`, `${fileMb} MB`, String(checkpoints)]]
    progress(`large: ${rows.join(', ')}`)
    const title = `${keys.toLocaleString('en')} keys in a store, in a process with ${heapMb} MB of heap: each comes once, then a quarter of them at random again`
    const columns = ['new keys', 'at random', 'restart', 'peak of the heap', 'file', 'checkpoints']
    return { tables: [markdown(title, columns, rows)], figures: { keys, come, again, restartMs, heapPeakMb, fileMb, checkpoints } }
  },
}
