export { type LmdbBackend, type LmdbOptions, lmdb } from './lmdb.js'
