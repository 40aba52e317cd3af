/** What stands in a diagram beside records. */
export class Mark {
  constructor(readonly mark: string) {}
}

export const barrierMark = (id: number): Mark => new Mark(`barrier ${id}`)
export const watermarkMark = (timestampMs: number): Mark => new Mark(`watermark ${timestampMs}`)
export const statusMark = (idle: boolean): Mark => new Mark(idle ? 'idle' : 'active')

/** A diagram as RxJS reads it: one letter a mark, and what each letter stands for. */
export type ReadDiagram = readonly [diagram: string, values: { readonly [letter: string]: unknown }]

/** Letters that nobody draws. */
const firstLetter = 0xe000
/** Time that passes, as RxJS reads it: at the beginning or behind a space, and with a space behind it. */
const duration = /^[0-9]+(?:\.[0-9]+)?(?:ms|s|m) /
const watermark = /^W[0-9]+/

/**
 * Reads the dialect in which streams of elements are drawn.
 *
 *     a b c   records: what `values` says, or the letter      -   a frame, as everywhere
 *     1 2 3   barriers                                         ( ) | # ^ !   as in RxJS; `|` is the end of the input
 *     W5 W12  watermarks                                       ~ +           idle, active again
 *
 * A mark takes as many frames as it has letters, and happens in the first of them.
 */
export function readDiagram(diagram: string, values: { readonly [letter: string]: unknown } = {}): ReadDiagram {
  const found: { [letter: string]: unknown } = Object.create(null) as object as { [letter: string]: unknown }
  const letters = new Map<string, string>()
  const letterOf = (name: string, value: unknown): string => {
    const letter = letters.get(name) ?? String.fromCharCode(firstLetter + letters.size)
    letters.set(name, letter)
    found[letter] = value
    return letter
  }
  let text = ''
  /** Frames of a group that its letters no longer take: they pass behind it. */
  let owed = 0
  let grouped = false
  for (let at = 0; at < diagram.length; ) {
    const rest = diagram.slice(at)
    const passes = at === 0 || diagram[at - 1] === ' ' ? duration.exec(rest)?.[0] : undefined
    const reached = watermark.exec(rest)?.[0]
    const token = passes ?? reached ?? (rest[0] as string)
    at += token.length
    if (passes !== undefined) text += passes
    else if (reached !== undefined) {
      text += letterOf(reached, watermarkMark(Number(reached.slice(1))))
      if (grouped) owed += reached.length - 1
      else text += '-'.repeat(reached.length - 1)
    } else if (/[1-9]/.test(token)) text += letterOf(token, barrierMark(Number(token)))
    else if (token === '~' || token === '+') text += letterOf(token, statusMark(token === '~'))
    else if (/[\s\-|#^!()]/.test(token)) {
      text += token
      if (token === '(') grouped = true
      if (token === ')') {
        text += '-'.repeat(owed)
        grouped = false
        owed = 0
      }
    } else text += letterOf(token, Object.hasOwn(values, token) ? values[token] : token)
  }
  return [text, found]
}
