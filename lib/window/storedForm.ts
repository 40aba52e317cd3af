import { RestoreError } from '../errors.js'
import type { Json } from '../json.js'

/**
 * How the windows of an operator are stored, as a sentence that is kept with them.
 *
 * Stored windows of another form would be misread or overlooked, so they are refused.
 */
export function checkForm(uid: string, stored: Json, form: string): void {
  if (stored !== form) throw new RestoreError('STATE_KIND_CHANGED', { uid, found: stored, expected: form })
}
