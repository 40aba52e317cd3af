export { type JobServer, type JobServerOptions, jobServer, type ServedRun } from './jobServer.js'
