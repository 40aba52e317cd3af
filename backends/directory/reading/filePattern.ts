import { ConfigurationError } from '../../../lib/errors.js'

/** Which files a source reads. */
export interface FilePattern {
  readonly text: string
  /** The directory of all files. */
  readonly folder: string
  /** The name of the one file, where it is no pattern. */
  readonly only: string | undefined
  matches(name: string): boolean
}

/** Makes a pattern of a path whose last part may have `*` and `?`; a path that ends in `/` is every file in that directory. */
export function filePattern(text: string): FilePattern {
  const cut = text.lastIndexOf('/')
  const folder = cut < 0 ? '.' : cut === 0 ? '/' : text.slice(0, cut)
  const name = text.slice(cut + 1)
  if (text === '' || /[*?]/.test(folder) || name.includes('**'))
    throw new ConfigurationError('OPTION_INVALID', { option: 'path', found: text, expected: 'a path with * and ? in its last part only' })
  if (name !== '' && !/[*?]/.test(name)) return { text, folder, only: name, matches: (candidate) => candidate === name }
  const expression = name === '' ? '.*' : [...name].map((letter) => (letter === '*' ? '.*' : letter === '?' ? '.' : escaped(letter))).join('')
  // As in a shell, a wildcard at the beginning does not mean hidden files.
  const whole = new RegExp(`^${/^[*?]|^$/.test(name) ? '(?![.])' : ''}${expression}$`, 'su')
  return { text, folder, only: undefined, matches: (candidate) => whole.test(candidate) }
}

export const pathIn = (folder: string, name: string): string => (folder === '/' ? `/${name}` : `${folder}/${name}`)

const escaped = (letter: string): string => (/[\\^$.|?*+()[\]{}/]/.test(letter) ? `\\${letter}` : letter)
