export { type LevelOptions, level } from './level.js'
