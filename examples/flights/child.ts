/** The process that runs the job, and is killed: it starts where the newest checkpoint left off, and knows of no crash. */
import { flightsJob } from './job.js'
import type { News, Orders } from './news.js'

const orders = JSON.parse(process.argv[2] ?? '{}') as Orders
const tell = (news: News): void => {
  if (process.connected) process.send?.(news)
}
// Without whoever started it, nobody would end it.
process.once('disconnect', () => process.exit(1))

const job = flightsJob({ ...orders, arrived: (flights) => tell({ kind: 'arrived', flight: flights.at(-1)?.id ?? 0 }) })

tell({ kind: 'starting' })
job.subscribe({
  next(event) {
    if (event.kind === 'started') tell({ kind: 'started' })
    if (event.kind === 'checkpointCompleted') tell({ kind: 'checkpoint', id: event.checkpointId })
  },
  error(error: { readonly code?: string; readonly message?: string }) {
    tell({ kind: 'failed', code: error.code, message: String(error.message ?? error) })
    process.exitCode = 1
    process.disconnect()
  },
  complete() {
    tell({ kind: 'finished' })
    process.removeAllListeners('disconnect')
    process.disconnect()
  },
})
