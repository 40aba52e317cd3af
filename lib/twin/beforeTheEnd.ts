import type { MachineContext } from '../machine.js'

/**
 * Event time as state that expires sees it: it stops before the end of time. What made a result of the end must not have expired
 * with that end, and a job that is drained goes on before it.
 */
export function beforeTheEnd(context: MachineContext<never>): MachineContext<never> {
  let reached = Number.NEGATIVE_INFINITY
  return {
    ...context,
    watermark() {
      const now = context.watermark()
      if (now !== Number.POSITIVE_INFINITY) reached = now
      return reached
    },
  }
}
