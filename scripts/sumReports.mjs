/**
 * Prints `N passed, N failed, N skipped` over the JSON reports of vitest in a folder: `node sumReports.mjs <folder> <exit code>`.
 *
 * Plain JavaScript, because it has to print its line even where the installation failed.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const [folder, exitCode] = process.argv.slice(2)
const sum = { passed: 0, failed: 0, skipped: 0 }
for (const name of readdirSync(folder)) {
  const report = JSON.parse(readFileSync(join(folder, name), 'utf8'))
  sum.passed += report.numPassedTests
  sum.failed += report.numFailedTests
  sum.skipped += report.numPendingTests + report.numTodoTests
  // A file that could not be loaded has no tests, but it failed.
  sum.failed += report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.every(({ status }) => status !== 'failed'),
  ).length
}
// A step other than the tests, the build for instance, counts as one failure: no failed run says "0 failed".
if (exitCode !== '0' && sum.failed === 0) sum.failed = 1
process.stdout.write(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped\n`)
