import { ConfigurationError } from '../../lib/errors.js'
import { kindOf } from '../../lib/kindOf.js'

/** The server cuts longer names off, so that two could become one. */
const nameBytesMax = 63

const utf8 = new TextEncoder()

/** A name of a table, a column or a schema, quoted: whatever it holds, it is a name and nothing else. */
export function quoted(name: unknown, option: string): string {
  if (typeof name !== 'string' || name === '' || name.includes('\0') || utf8.encode(name).length > nameBytesMax)
    throw new ConfigurationError('OPTION_INVALID', {
      option,
      found: typeof name === 'string' ? name : kindOf(name),
      expected: `a name of 1 to ${nameBytesMax} bytes`,
    })
  return `"${name.replaceAll('"', '""')}"`
}

/** A table, as the server looks for it, or in a schema of its own. */
export type TableName = string | { readonly schema: string; readonly table: string }

export const quotedTable = (name: TableName, option = 'table'): string =>
  typeof name === 'object' && name !== null
    ? `${quoted(name.schema, `${option}.schema`)}.${quoted(name.table, `${option}.table`)}`
    : quoted(name, option)
