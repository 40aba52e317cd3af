export type { BrowserParts } from './browserParts.js'
export { type IndexeddbOptions, indexeddb } from './indexeddb.js'
