import type { UserConfig } from 'tsdown'
import { doors } from './doors.js'

/** One build for all doors, so that classes and symbols live in chunks that the doors share. */
export const build = {
  entry: Object.fromEntries(doors.map(({ file }) => [file, `${file}.ts`])),
  format: ['esm', 'cjs'],
  platform: 'neutral',
  target: 'es2022',
  outDir: 'dist',
  deps: { neverBundle: [/^node:/] },
  fixedExtension: false,
  sourcemap: false,
  report: false,
  logLevel: 'warn',
} satisfies UserConfig
