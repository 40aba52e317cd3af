import type { Law } from '../../laws/law.js'

/**
 * The laws of sinks that a sink can keep whose transactions are nowhere but in the checkpoint, where the target is looked at by key.
 *
 * It cannot tell a transaction that was aborted from one that is committed again: both are only in the handle. The core never
 * commits an aborted one. And it remembers what its target remembers.
 */
export const lawsByKey = (laws: readonly Law[], target: 'remembers' | 'forgets'): readonly Law[] =>
  laws.filter(({ name }) => name !== 'abort-leaves-no-trace' && (target === 'remembers' || name !== 'sink-remembers'))
