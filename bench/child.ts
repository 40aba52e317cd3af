import { measure, type Request } from './measure.js'

/** One measurement in a process of its own: what one variant made of the platform's compiler and heap, no other one sees. */
const request = JSON.parse(process.argv[2] ?? '') as Request
process.stdout.write(JSON.stringify(await measure(request)))
process.exit(0)
