import type { Observable } from 'rxjs'
import { type FedStream, HandFeed, type HandOutput, noted } from './handFed.js'
import { type HandCheckpoint, HandRun } from './handRun.js'

/** An operator with several inputs, each fed by hand, in a run of a job that has begun. */
export interface Joined {
  readonly inputs: readonly HandFeed[]
  readonly out: HandOutput
  readonly run: HandRun
}

export interface JoinedOptions {
  readonly inputs?: number
  readonly keyed?: boolean
  readonly from?: HandCheckpoint
}

export function joined(
  apply: (first: FedStream, ...others: readonly FedStream[]) => Observable<unknown>,
  { inputs: count = 2, keyed = false, from }: JoinedOptions = {},
): Joined {
  const run = new HandRun()
  const inputs = Array.from({ length: count }, () => new HandFeed(run))
  const [first, ...others] = inputs.map(({ stream }) => stream) as [FedStream, ...FedStream[]]
  const out = noted(apply(first, ...others))
  for (const [index, input] of inputs.entries()) input.start(keyed, `in${index}`)
  run.open(from)
  return { inputs, out, run }
}

/** A checkpoint: the barrier at every input. */
export function checkpointOf({ inputs, run }: Joined, id = 1): HandCheckpoint {
  for (const input of inputs) input.barrier(id)
  return run.complete(id)
}
