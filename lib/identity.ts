import { ConfigurationError } from './errors.js'

declare const brand: unique symbol
type Branded<T, Name extends string> = T & { readonly [brand]: Name }

/** The name of a job: it names the job's state in every storage. */
export type JobName = Branded<string, 'JobName'>
/** The name of an operator's state, forever. */
export type OperatorUid = Branded<string, 'OperatorUid'>
/** The number of a checkpoint: 1, 2, 3, … along the life of a job. Together with the {@link Epoch} it is never used twice. */
export type CheckpointId = Branded<number, 'CheckpointId'>
/** Counts the runs that took over a storage. A writer of a lower epoch is fenced. */
export type Epoch = Branded<number, 'Epoch'>

const nameMax = 100
const allowed = /^[A-Za-z0-9._-]+$/
const reservedByWindows = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i

/** Names become file names, table names and labels: what is allowed here is safe in all of them. */
function checkedName(name: string, what: string): string {
  const found = typeof name === 'string' ? name.slice(0, nameMax + 1) : typeof name
  if (
    typeof name !== 'string' ||
    name.length > nameMax ||
    !allowed.test(name) ||
    /^\.+$/.test(name) ||
    name.endsWith('.') ||
    reservedByWindows.test(name)
  )
    throw new ConfigurationError('NAME_INVALID', { what, found })
  return name
}

export const jobName = (name: string): JobName => checkedName(name, 'job name') as JobName
export const operatorUid = (uid: string): OperatorUid => checkedName(uid, 'uid') as OperatorUid
export const checkpointId = (id: number): CheckpointId => id as CheckpointId
export const epoch = (number: number): Epoch => number as Epoch
