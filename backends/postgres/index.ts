export type { ConnectionOptions, PostgresAddress } from './connection.js'
export { type PostgresStorage, type PostgresStorageOptions, postgresStorage } from './postgresStorage.js'
export { postgresTables } from './tables.js'
