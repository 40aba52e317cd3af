export * from './lib/index.js'
export * from './operators/index.js'
