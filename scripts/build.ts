import type { UserConfig } from 'tsdown'
import { doors, programs } from './doors.js'

/** One build for all doors, so that classes and symbols live in chunks that the doors share. */
export const build = {
  entry: Object.fromEntries([...doors.map(({ file }) => file), ...programs].map((file) => [file, `${file}.ts`])),
  format: ['esm', 'cjs'],
  platform: 'neutral',
  target: 'es2022',
  outDir: 'dist',
  deps: { neverBundle: [/^node:/] },
  fixedExtension: false,
  // The bundler's own helpers get a file of their own; else they would leave through the door that happens to hold them.
  outputOptions: { codeSplitting: { groups: [{ name: 'interop', test: /rolldown[:/]runtime/ }] } },
  sourcemap: false,
  report: false,
  checks: { pluginTimings: false },
  logLevel: 'warn',
} satisfies UserConfig
