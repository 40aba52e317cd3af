/** The errors of a file system that our code may meet. */
export type FileErrorCode = 'EEXIST' | 'ENOENT' | 'ENOTDIR' | 'EISDIR' | 'ENOSPC' | 'EDQUOT' | 'EIO' | 'EMFILE' | 'EROFS' | 'EACCES' | 'EBADF'

/** An error as Node's file system gives it. */
export class FileError extends Error {
  override readonly name = 'FileError'
  constructor(
    readonly code: FileErrorCode,
    readonly syscall: string,
    readonly path: string,
  ) {
    super(`${code}: ${syscall} '${path}'`)
  }
}

/** One call of the file layer, numbered from 0 in the order of the calls. */
export interface FileCall {
  readonly number: number
  readonly name:
    | 'create'
    | 'open'
    | 'link'
    | 'rename'
    | 'unlink'
    | 'makeDirectory'
    | 'list'
    | 'size'
    | 'identify'
    | 'syncDirectory'
    | 'write'
    | 'read'
    | 'sync'
    | 'truncate'
    | 'close'
  readonly path: string
}

/** What goes wrong with a call: an error, or a write or read that moves fewer bytes than asked. */
export type Fault = { readonly code: FileErrorCode } | { readonly bytesMax: number }

/** Decides about each call. */
export type Faults = (call: FileCall) => Fault | undefined

/** The n-th call fails: `once`, or from then on every call of its name does (`sticky`). */
export function failNth(nth: number, code: FileErrorCode, how: 'once' | 'sticky'): Faults {
  let name: FileCall['name'] | undefined
  return (call) => {
    if (call.number === nth) name = call.name
    const fails = call.number === nth || (how === 'sticky' && call.number > nth && call.name === name)
    return fails ? { code } : undefined
  }
}
