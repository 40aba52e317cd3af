import { ConfigurationError } from '../../lib/errors.js'

/** What a statement answered. */
export interface Answer {
  readonly rows: readonly unknown[]
  readonly rowCount: number | null
  readonly command: string
  readonly fields: readonly { readonly name: string }[]
}

/** As much of a client of `pg` as is used here, so that our types need not have its types. */
export interface DriverClient {
  connect(): Promise<unknown>
  query(query: { readonly text: string; readonly values?: readonly unknown[]; readonly rowMode?: 'array' }): Promise<Answer>
  end(): Promise<void>
  on(event: 'error' | 'end', listener: (error?: Error) => void): unknown
}

export interface Driver {
  readonly Client: new (config: object) => DriverClient
}

/** Loads the package that speaks to the server when something is opened, so that who has no Postgres need not have it. */
export async function postgresDriver(load: () => Promise<unknown> = () => import('pg')): Promise<Driver> {
  let loaded: unknown
  try {
    loaded = await load()
  } catch (cause) {
    throw new ConfigurationError('PACKAGE_MISSING', { package: 'pg' }, { cause })
  }
  const { default: whole } = loaded as { readonly default: Driver }
  return whole
}
