import { defineConfig } from 'tsdown'
import { build } from './scripts/build.js'

/** All that is published. */
export default defineConfig({ ...build, dts: true, clean: true })
