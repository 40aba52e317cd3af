import { type BackendRequest, measureBackend } from './backends/measureBackend.js'
import { measureRaw } from './backends/rawWrites.js'
import { type ExpiryRequest, measureExpiry } from './expiry/measureExpiry.js'
import { type JournalRequest, measureJournal } from './journal/measureJournal.js'
import { measure, type Request } from './measure.js'
import { measureTwins, type TwinsRequest } from './twins/measureTwins.js'

const kinds: { readonly [kind: string]: (request: unknown) => Promise<unknown> } = {
  variant: (request) => measure(request as Request),
  twins: (request) => measureTwins(request as TwinsRequest),
  journal: (request) => measureJournal(request as JournalRequest),
  expiry: (request) => measureExpiry(request as ExpiryRequest),
  backend: (request) => measureBackend(request as BackendRequest),
  raw: (request) => measureRaw(request as BackendRequest),
}

const [kind = '', request = ''] = process.argv.slice(2)
process.stdout.write(JSON.stringify(await kinds[kind]?.(JSON.parse(request))))
process.exit(0)
