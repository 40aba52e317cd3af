import { defineConfig } from 'vitest/config'
import { common, reporting } from './vitest.config.js'

/** Tests of what `npm run build` made. They need it done. */
export default defineConfig({ test: { ...common, ...reporting('package'), include: ['test/package/**/*.test.ts'], exclude: ['**/node_modules/**'] } })
