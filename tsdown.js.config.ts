import { defineConfig } from 'tsdown'
import { build } from './scripts/build.js'

/** What programs need to run, without the types, in about a second. */
export default defineConfig({ ...build, dts: false, clean: false })
