import { ConfigurationError } from '../../../lib/errors.js'

type Parser = typeof import('csv-parse/sync')

/** Loads the package that splits rows when a source is opened, so that who reads no CSV need not have it. */
export async function csvParser(load: () => Promise<Parser> = () => import('csv-parse/sync')): Promise<Parser> {
  try {
    return await load()
  } catch (cause) {
    throw new ConfigurationError('PACKAGE_MISSING', { package: 'csv-parse' }, { cause })
  }
}
