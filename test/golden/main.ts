/** Runs the golden cases against the library: `npm run golden`. The driver is not written yet, and says so. */
process.stdout.write('golden: 0 passed, 0 failed, 0 unsupported (no driver yet)\n')
process.exitCode = 1
