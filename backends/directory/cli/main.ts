#!/usr/bin/env node
import { createInterface } from 'node:readline'
import { systemClock } from '../../../lib/clock.js'
import { runCli } from './cli.js'
import type { Screen } from './cliIo.js'

/** The command line: `rxweir`. */
process.stdout.on('error', (error: { readonly code?: unknown }) => {
  // Whoever read it has gone, as `head` does.
  if (error.code !== 'EPIPE') throw error
  process.exit(process.exitCode ?? 0)
})

/** A terminal that does not know its size says 0. */
const screen: Screen = {
  size: () => ({ columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 }),
  onEnd(end) {
    const { stdin } = process
    const pressed = (keys: Buffer): void => {
      // Ctrl-C is a key while the terminal hands on keys as they are.
      if (['q', 'Q', '\u0003'].some((key) => keys.includes(key))) end()
    }
    process.on('SIGINT', end).on('SIGTERM', end)
    if (stdin.isTTY) stdin.setRawMode(true).on('data', pressed).resume()
    return () => {
      process.off('SIGINT', end).off('SIGTERM', end)
      if (stdin.isTTY) stdin.off('data', pressed).setRawMode(false).pause()
    }
  },
}

void runCli(process.argv.slice(2), {
  out: (text) => new Promise((resolve, reject) => process.stdout.write(text, (error) => (error ? reject(error) : resolve()))),
  err: (text) => void process.stderr.write(text),
  lines: () => createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY }),
  isWatched: process.stderr.isTTY === true,
  clock: systemClock,
  screen: process.stdout.isTTY === true ? screen : undefined,
}).then((code) => {
  process.exitCode = code
})
