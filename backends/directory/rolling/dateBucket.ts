import { ConfigurationError, SinkError } from '../../../lib/errors.js'

/** What a bucket is chosen by, beside the value. One object serves all calls: do not keep it. */
export interface BucketContext {
  /** The event time of the record, if it has one. */
  readonly timestamp: number | undefined
  /** The time of the run. */
  readonly nowMs: number
}

export interface DateBucketOptions {
  /** `yyyy`, `MM`, `dd`, `HH`, `mm` and `ss`; other letters stand in single quotes. Default `yyyy-MM-dd--HH`. */
  readonly pattern?: string
  /** The time of the run (default) or the event time of the record. Only the latter puts a record into the same bucket after a crash. */
  readonly time?: 'processing' | 'event'
  /** A time zone, such as `Europe/Berlin`. Default `UTC`. */
  readonly timeZone?: string
}

type Piece = { readonly text: string } | { readonly field: Field }
type Field = 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second'

const fields: { readonly [token: string]: Field } = { yyyy: 'year', MM: 'month', dd: 'day', HH: 'hour', mm: 'minute', ss: 'second' }
/** Dates end here. */
const dateMsMax = 8.64e15
const token = /yyyy|MM|dd|HH|mm|ss|'[^']*'|[^A-Za-z']+/y

/**
 * Chooses buckets by date and time.
 *
 * @example A folder a day, by event time
 * ```ts
 * const daily = dateBucket({ pattern: "'day='yyyy-MM-dd", time: 'event' })
 * daily('any value', { timestamp: Date.UTC(2024, 4, 1, 23), nowMs: 0 }) // => 'day=2024-05-01'
 * ```
 * @throws ConfigurationError `OPTION_INVALID` for a pattern or a time zone that does not exist
 * @throws SinkError `BUCKET_INVALID` for a record without event time where that is asked for
 * @category sources and sinks
 * @since 0.2.0
 */
export function dateBucket({
  pattern = 'yyyy-MM-dd--HH',
  time = 'processing',
  timeZone = 'UTC',
}: DateBucketOptions = {}): (value: unknown, context: BucketContext) => string {
  const pieces = parsed(pattern)
  const format = formatIn(timeZone)
  // All times of one second have one bucket: most records find it made.
  let lastSecond = Number.NaN
  let last = ''
  return (_value, { timestamp, nowMs }) => {
    const atMs = time === 'event' ? timestamp : nowMs
    if (atMs === undefined) throw new SinkError('BUCKET_INVALID', { reason: 'the record has no event time' })
    if (!(Math.abs(atMs) <= dateMsMax)) throw new SinkError('BUCKET_INVALID', { found: atMs, reason: 'the time is no date' })
    const second = Math.floor(atMs / 1_000)
    if (second === lastSecond) return last
    const found = new Map<string, string>(format.formatToParts(atMs).map(({ type, value }) => [type, value]))
    last = pieces.map((piece) => ('text' in piece ? piece.text : padded(piece.field, found.get(piece.field)))).join('')
    lastSecond = second
    return last
  }
}

const padded = (field: Field, text = ''): string => text.padStart(field === 'year' ? 4 : 2, '0')

function parsed(pattern: string): readonly Piece[] {
  const pieces: Piece[] = []
  token.lastIndex = 0
  for (let at = 0; at < pattern.length; at = token.lastIndex) {
    token.lastIndex = at
    const found = token.exec(pattern)?.[0]
    if (found === undefined)
      throw new ConfigurationError('OPTION_INVALID', {
        option: 'pattern',
        found: pattern,
        expected: 'yyyy, MM, dd, HH, mm, ss and texts in single quotes',
      })
    const field = fields[found]
    pieces.push(field === undefined ? { text: found.startsWith("'") ? found.slice(1, -1) : found } : { field })
  }
  return pieces
}

function formatIn(timeZone: string): Intl.DateTimeFormat {
  const two = '2-digit'
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: two,
      day: two,
      hour: two,
      minute: two,
      second: two,
    })
  } catch (cause) {
    throw new ConfigurationError('OPTION_INVALID', { option: 'timeZone', found: timeZone, expected: 'the name of a time zone' }, { cause })
  }
}
