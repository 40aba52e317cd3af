export { type DirectoryOptions, directory } from './directory.js'
export { type JsonLinesOptions, jsonLines } from './jsonLines.js'
export { type JsonLinesSinkOptions, jsonLinesSink } from './jsonLinesSink.js'
