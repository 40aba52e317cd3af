/** Writes docs/errors.md from the table of codes: `npm run docs`. */
import { writeFileSync } from 'node:fs'
import { root } from './doors.js'
import { errorPage } from './errorPage.js'

writeFileSync(`${root}/docs/errors.md`, errorPage())
process.stdout.write('docs/errors.md written\n')
