import { SinkError } from '../../../lib/errors.js'
import { looksFinished } from './fileNames.js'

const segmentBytesMax = 200
const depthMax = 16
const allowed = /^[\p{L}\p{N}\p{M}._=+,@%#~ -]+$/u
const reservedByWindows = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i

/** Why a text can not be a bucket: a path below the directory of the sink, its parts joined by `/`; the directory itself is `''`. */
export function whyNoBucket(bucket: unknown): string | undefined {
  if (typeof bucket !== 'string') return `it is of type ${typeof bucket}`
  if (bucket === '') return undefined
  const segments = bucket.split('/')
  if (segments.length > depthMax) return `it is more than ${depthMax} deep`
  for (const segment of segments) {
    const reason = whyNoSegment(segment)
    if (reason !== undefined) return reason
  }
  return undefined
}

function whyNoSegment(segment: string): string | undefined {
  if (segment === '') return 'a name in it is empty'
  if (segment.startsWith('.')) return 'a name in it begins with a dot'
  if (segment.endsWith('.') || segment.startsWith(' ') || segment.endsWith(' ')) return 'a name in it ends with a dot, or has a space at an end'
  if (!allowed.test(segment)) return 'it has a character that is not a letter, a digit, a space or one of ._=+,@%#~-'
  if (reservedByWindows.test(segment)) return 'an operating system reserves a name in it'
  if (Buffer.byteLength(segment) > segmentBytesMax) return `a name in it is longer than ${segmentBytesMax} bytes`
  return looksFinished(segment) ? 'a name in it looks like that of a part' : undefined
}

export function checkedBucket(bucket: string, uid: string): string {
  const reason = whyNoBucket(bucket)
  if (reason !== undefined)
    throw new SinkError('BUCKET_INVALID', { uid, found: typeof bucket === 'string' ? bucket.slice(0, segmentBytesMax) : typeof bucket, reason })
  return bucket
}
