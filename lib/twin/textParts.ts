import { BackendError } from '../errors.js'

/**
 * Several texts as one, readable, which falls apart again without being parsed: `[[1,3],5,"a"]`. First their lengths, then
 * they themselves.
 */
export const joinTexts = (texts: readonly string[]): string =>
  texts.length === 0 ? '[[]]' : `[[${texts.map(({ length }) => length).join(',')}],${texts.join(',')}]`

/** The way back. Throws a `BackendError` `SNAPSHOT_CORRUPT` for what was never written. */
export function splitTexts(text: string): readonly string[] {
  const lengthsEnd = text.indexOf(']') + 1
  const texts: string[] = []
  let at = lengthsEnd
  for (const length of lengthsIn(text.slice(1, lengthsEnd))) {
    if (text[at] !== ',') throw corrupt()
    texts.push(text.slice(at + 1, at + 1 + length))
    at += 1 + length
  }
  if (at !== text.length - 1 || text[at] !== ']') throw corrupt()
  return texts
}

function lengthsIn(text: string): readonly number[] {
  if (!/^\[([0-9]+(,[0-9]+)*)?\]$/.test(text)) throw corrupt()
  return text === '[]' ? [] : text.slice(1, -1).split(',').map(Number)
}

const corrupt = (): BackendError => new BackendError('SNAPSHOT_CORRUPT', { reason: 'a text is not made of the parts that it names' })
