import type { Key } from '../../../lib/key.js'
import type { PlainRow } from '../../../lib/processor/stateRow.js'
import { decodeTagged, encodeTagged } from '../../../lib/taggedJson.js'
import { UsageError } from './usageError.js'

/** A row as one line of JSON: as `export` writes it, without what says whose it is. */
export function rowText({ key, namespace, entry, text, touchedMs }: PlainRow): string {
  const parts = [`"key":${encodeTagged(key)}`]
  if (namespace !== undefined) parts.push(`"namespace":${encodeTagged(namespace)}`)
  if (entry !== undefined) parts.push(`"entry":${encodeTagged(entry)}`)
  parts.push(`"value":${valueText(text)}`)
  if (touchedMs !== undefined) parts.push(`"touchedMs":${touchedMs}`)
  return `{${parts.join(',')}}`
}

/** A stored value as JSON: a text of a codec's own becomes a string. */
export function valueText(text: string): string {
  try {
    JSON.parse(text)
    return text
  } catch {
    return JSON.stringify(text)
  }
}

/** A key from the command line: JSON, with tags for what JSON cannot say; what is no JSON is a string. */
export function keyArgument(text: string): Key {
  let value: unknown
  try {
    value = decodeTagged(text)
  } catch {
    return text
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)) throw new UsageError(`${text} is no key`)
  return value as Key
}
