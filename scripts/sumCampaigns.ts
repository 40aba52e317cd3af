/** Writes docs/campaigns.md from the ledger of the campaigns: `npm run campaigns`. */
import { writeFileSync } from 'node:fs'
import { campaignsPage, entriesIn } from '../test/campaigns/page.js'
import { root } from './doors.js'

writeFileSync(`${root}/docs/campaigns.md`, campaignsPage(entriesIn()))
process.stdout.write('docs/campaigns.md written\n')
