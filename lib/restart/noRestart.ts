import { throwError } from 'rxjs'
import type { RestartStrategy } from './restartStrategy.js'

/**
 * Lets the first failure be the error of the job.
 *
 * @category checkpoints
 * @since 0.2.0
 */
export const noRestart = (): RestartStrategy => ({ delay: (error) => throwError(() => error) })
