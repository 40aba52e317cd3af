export { type MemorySink, type MemoryTransaction, memorySink } from './memorySink.js'
export { type MemorySource, type MemorySourceOptions, memorySource } from './memorySource.js'
export { type MemoryOptions, MemoryStore, memory } from './memoryStorage.js'
