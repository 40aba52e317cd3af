export { type JobServer, type JobServerOptions, jobServer } from './jobServer.js'
export type { ServedRun } from './servedRun.js'
