import type { Observable } from 'rxjs'
import { type FedStream, type HandFeed, type HandOutput, handFed } from './handFed.js'
import { HandRun } from './handRun.js'

type Fed = HandFeed & { readonly out: HandOutput }

/** An operator in a run of a job that has begun. */
export function begun(operator: (source: FedStream) => Observable<unknown>, keyed = false): Fed {
  const fed = handFed(operator).start(keyed)
  fed.run.open()
  return fed
}

/** A checkpoint, a crash, and the same operator, or the next release of it, in a new run. */
export function continued(fed: Fed, operator: (source: FedStream) => Observable<unknown>, keyed = false): Fed {
  const id = fed.run.acknowledged.length + 1
  fed.barrier(id)
  const run = new HandRun()
  const next = handFed(operator, run).start(keyed)
  run.open(fed.run.complete(id))
  return next
}
