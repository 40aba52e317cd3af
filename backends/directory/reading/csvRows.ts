const newline = 10

/** Whether the byte that comes next is in quotes. */
type Place = 'fieldBegins' | 'unquoted' | 'quoted' | 'quoteEnds'

/**
 * Where each complete row between `from` and the end of some bytes ends: at a newline that is in no quotes.
 *
 * Quotes count where a field begins with one, as in RFC 4180, so that a stray one does not swallow the rows behind it.
 */
export function csvRowEnds(bytes: Uint8Array, from: number, delimiter: number, quote: number): readonly number[] {
  const ends: number[] = []
  if (bytes.indexOf(quote, from) < 0) {
    for (let end = bytes.indexOf(newline, from); end >= 0; end = bytes.indexOf(newline, end + 1)) ends.push(end)
    return ends
  }
  let place: Place = 'fieldBegins'
  for (let index = from; index < bytes.length; index += 1) {
    const byte = bytes[index]
    if (place === 'quoted') {
      if (byte === quote) place = 'quoteEnds'
    } else if (byte === newline) {
      ends.push(index)
      place = 'fieldBegins'
    } else if (byte === delimiter) place = 'fieldBegins'
    else if (byte === quote && place !== 'unquoted') place = 'quoted'
    else place = 'unquoted'
  }
  return ends
}
