export { type LevelBackend, type LevelOptions, level } from './level.js'
