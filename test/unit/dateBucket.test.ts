import { describe, expect, it } from 'vitest'
import { dateBucket } from '../../backends/directory/rolling/dateBucket.js'

const at = (iso: string) => ({ timestamp: Date.parse(iso), nowMs: Date.parse('2000-01-02T03:04:05Z') })

describe('dateBucket', () => {
  it('names the hour of the run in UTC, unless told', () => {
    expect(dateBucket()('x', at('2024-05-01T23:59:59Z'))).toBe('2000-01-02--03')
  })

  it('knows years, months, days, hours, minutes, seconds and texts', () => {
    const bucket = dateBucket({ pattern: "'year='yyyy/MM_dd/HH.mm.ss' oʼclock'", time: 'event' })
    expect(bucket('x', at('2024-05-01T23:59:07.999Z'))).toBe('year=2024/05_01/23.59.07 oʼclock')
    expect(bucket('x', at('2024-05-01T23:59:08Z'))).toBe('year=2024/05_01/23.59.08 oʼclock')
    expect(bucket('x', at('2024-05-01T00:00:00Z'))).toBe('year=2024/05_01/00.00.00 oʼclock')
    expect(bucket('x', at('1969-12-31T23:59:59.999Z'))).toBe('year=1969/12_31/23.59.59 oʼclock')
    expect(bucket('x', at('0099-01-01T00:00:00Z'))).toBe('year=0099/01_01/00.00.00 oʼclock')
  })

  it('knows time zones, also those that are not whole hours off, and their changes of the clock', () => {
    const kolkata = dateBucket({ pattern: 'yyyy-MM-dd--HH', time: 'event', timeZone: 'Asia/Kolkata' })
    expect(kolkata('x', at('2024-05-01T18:29:59Z'))).toBe('2024-05-01--23')
    expect(kolkata('x', at('2024-05-01T18:30:00Z'))).toBe('2024-05-02--00')
    const berlin = dateBucket({ time: 'event', timeZone: 'Europe/Berlin' })
    expect(berlin('x', at('2024-03-31T00:59:59Z'))).toBe('2024-03-31--01')
    expect(berlin('x', at('2024-03-31T01:00:00Z'))).toBe('2024-03-31--03')
  })

  it('refuses records without event time, and times that are no dates', () => {
    const bucket = dateBucket({ time: 'event' })
    for (const timestamp of [undefined, Number.MAX_SAFE_INTEGER, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => bucket('x', { timestamp, nowMs: 0 })).toThrow(expect.objectContaining({ code: 'BUCKET_INVALID' }))
  })

  it.each([{ pattern: 'YYYY' }, { pattern: 'yyyy-d' }, { pattern: "yyyy'" }, { pattern: 'day' }, { timeZone: 'Mars/Olympus' }])(
    'refuses %j',
    (options) => {
      expect(() => dateBucket(options)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
    },
  )
})
