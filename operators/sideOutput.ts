export { sideOutput } from '../lib/sideOutput.js'
