export { sink } from '../lib/sink.js'
