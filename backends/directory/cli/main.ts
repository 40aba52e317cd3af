#!/usr/bin/env node
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { systemClock } from '../../../lib/clock.js'
import { runCli } from './cli.js'

/** The command line: `rxweir`. */
process.stdout.on('error', (error: { readonly code?: unknown }) => {
  // Whoever read it has gone, as `head` does.
  if (error.code !== 'EPIPE') throw error
  process.exit(process.exitCode ?? 0)
})

void runCli(process.argv.slice(2), {
  async out(text) {
    if (!process.stdout.write(text)) await once(process.stdout, 'drain')
  },
  err: (text) => void process.stderr.write(text),
  lines: () => createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY }),
  isWatched: process.stderr.isTTY === true,
  clock: systemClock,
}).then((code) => {
  process.exitCode = code
})
