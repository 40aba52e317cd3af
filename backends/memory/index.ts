export { type MemoryOptions, MemoryStore, memory } from './memoryStorage.js'
