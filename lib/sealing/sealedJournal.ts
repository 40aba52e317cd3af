import { taskEither as TE, type taskEither } from 'fp-ts'
import { fromBase64, toBase64 } from '../base64.js'
import { BackendError } from '../errors.js'
import { attempt } from '../keyValue/attempt.js'
import type { Journal } from '../ports/journal.js'
import type { Bound } from './boundBytes.js'
import { InOrder } from './inOrder.js'
import { packedBytesLeast } from './packing.js'
import type { ValueCipher } from './valueCipher.js'

/** Before an entry that is not stored as it is. Entries are JSON, which never begins so. */
const mark = '\u0001'
const utf8 = new TextEncoder()

/** Compresses and seals the entries of a journal, each bound to its number. */
export function sealedJournal(inner: Journal, cipher: ValueCipher, job: string): Journal {
  const sealer = cipher.sealer()
  const order = new InOrder('ends')
  /** The number of the entry that is sealed next. Behind one that could not be sealed the line ends, so that none is left out. */
  let next = inner.end
  const boundAt = (number: number): Bound => (cipher.seals ? ['entry', job, number] : [])

  const stored = async (entry: string, number: number): Promise<string> => {
    const marked = entry.startsWith(mark)
    if (!cipher.seals && !marked && !(cipher.packs && entry.length >= packedBytesLeast)) return entry
    const text = mark + toBase64(await sealer.seal(utf8.encode(entry), boundAt(number)))
    return cipher.seals || marked || text.length < entry.length ? text : entry
  }
  const opened = async (entry: string, number: number): Promise<string> => {
    const what = `entry ${number} of the journal`
    if (!entry.startsWith(mark)) {
      if (cipher.seals) throw new BackendError('FILE_NOT_SEALED', { what })
      return entry
    }
    const bytes = fromBase64(entry.slice(mark.length))
    if (bytes === undefined) throw new BackendError('SNAPSHOT_CORRUPT', { what, reason: 'it is not base64' })
    return new TextDecoder().decode(await cipher.open(bytes, boundAt(number), what))
  }

  return {
    get first() {
      return inner.first
    },
    get end() {
      return inner.end
    },
    get bytes() {
      return inner.bytes
    },
    append: (entries) => () => {
      const first = next
      next += entries.length
      return order.next(Promise.all(entries.map((entry, index) => stored(entry, first + index))), (texts) => inner.append(texts)())
    },
    read: (from, entriesMax): taskEither.TaskEither<BackendError, readonly string[]> =>
      TE.chain((entries: readonly string[]) => attempt(() => Promise.all(entries.map((entry, index) => opened(entry, from + index)))))(
        inner.read(from, entriesMax),
      ),
    trim: (before) => inner.trim(before),
    close: () => inner.close(),
  }
}
