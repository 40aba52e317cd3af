/** A line without text. */
export const blank = Symbol('a blank line')
export const noJson = Symbol('a line that is no JSON')

/** The value that a line holds, {@link blank} or {@link noJson}. */
export function parsedLine(text: string): unknown {
  if (text === '') return blank
  try {
    return JSON.parse(text)
  } catch {
    // What the parser says quotes the line, which may be private: the reason is told without it.
    return text.trim() === '' ? blank : noJson
  }
}
