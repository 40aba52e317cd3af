/**
 * Runs a program of this folder by its name; without one, lists them.
 *
 *     npm run example -- pageViews
 */
import { programs } from './programs.js'

const name = process.argv[2] ?? ''
if (programs().includes(name)) {
  const program = (await import(`./${name}.js`)) as { main(): Promise<void> }
  await program.main()
} else {
  process.stderr.write(`npm run example -- <name>, where <name> is one of\n\n${programs().join('\n')}\n`)
  process.exitCode = 2
}
