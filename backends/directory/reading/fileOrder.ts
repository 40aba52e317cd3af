/**
 * In which order the files of a source are read.
 *
 * - `name`: by name, numbers in it as numbers (`part-2` before `part-10`). Files keep their names, and new ones sort behind.
 * - `numbered`: files move up when they are rotated, the highest number is the oldest: `app.log.2.gz`, `app.log.1`, `app.log`.
 * - `dated`: a file gets a date into its name when it is rotated: `app.log-20260101.gz`, `app.log-20260102`, `app.log`.
 */
export type FileOrder = 'name' | 'numbered' | 'dated'

/** A file and what was compressed of it have one place in the order. */
export const plainName = (name: string): string => (isGzip(name) ? name.slice(0, -3) : name)

export const isGzip = (name: string): boolean => name.endsWith('.gz') && name.length > 3

/** Compares names without `.gz`: the older file is the lesser. Names that have no order are equal. */
export const compareFiles: { readonly [order in FileOrder]: (a: string, b: string) => number } = {
  name: (a, b) => natural(a, b) || compareText(a, b),
  numbered: (a, b) => numberOf(b) - numberOf(a),
  dated(a, b) {
    const [datedA, datedB] = [dated.test(a), dated.test(b)]
    return datedA && datedB ? compareFiles.name(a, b) : Number(datedB) - Number(datedA)
  },
}

/** A year and a month. */
const dated = /\d{4}[-_.]?\d{2}/

/** What was never rotated has no number and comes last. */
function numberOf(name: string): number {
  const number = /[.-](\d+)(?:\.[a-z]+)?$/i.exec(name)?.[1]
  return number === undefined ? -1 : Number(number)
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function natural(a: string, b: string): number {
  const [partsA, partsB] = [partsOf(a), partsOf(b)]
  for (let index = 0; index < Math.min(partsA.length, partsB.length); index += 1) {
    const [left, right] = [partsA[index] as string, partsB[index] as string]
    const compared = isNumber(left) && isNumber(right) ? compareNumbers(left, right) : compareText(left, right)
    if (compared !== 0) return compared
  }
  return partsA.length - partsB.length
}

const partsOf = (name: string): readonly string[] => name.match(/\d+|\D+/g) ?? []
const isNumber = (part: string): boolean => part.charCodeAt(0) >= 48 && part.charCodeAt(0) <= 57

/** Compares digits of any length. */
function compareNumbers(a: string, b: string): number {
  const [left, right] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')]
  return left.length - right.length || compareText(left, right)
}
