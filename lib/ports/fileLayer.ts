/**
 * The few operations of a file system that durable files need. All file access of a backend goes through it, so that a model of
 * a file system that loses what was not synced can stand in for the real one.
 *
 * Promises reject with an error that has a system `code` (`EEXIST`, `ENOENT`, `ENOSPC`, `EIO`, …), as in Node.
 * Paths use `/` and are absolute or relative to the process.
 */
export interface FileLayer {
  /** Creates a file that must not exist (`O_EXCL`, mode 0600) and opens it for writing. */
  create(path: string): Promise<OpenFile>
  /** Opens an existing file for reading. */
  open(path: string): Promise<OpenFile>
  /** Gives a file a second name; fails with `EEXIST` where the name is taken. Atomic. */
  link(from: string, to: string): Promise<void>
  /** Moves a name within a directory, replacing. Atomic. */
  rename(from: string, to: string): Promise<void>
  /** Removes a name. */
  unlink(path: string): Promise<void>
  /** Creates a directory (mode 0700) and its parents where they are missing. Existing is fine. Each new entry is synced. */
  makeDirectory(path: string): Promise<void>
  /** Names in a directory, in no order. */
  list(path: string): Promise<readonly string[]>
  /** Size in bytes, or undefined where there is no such name. */
  size(path: string): Promise<number | undefined>
  /** Which file has this name now, and its size; undefined where there is none, or something that is no file. */
  identify(path: string): Promise<FileIdentity | undefined>
  /** Makes the names in a directory durable. */
  syncDirectory(path: string): Promise<void>
}

/** Tells a file from others, whatever it is called. */
export interface FileIdentity {
  /** Stays while the file is renamed and written to; a file that takes its name has another one. Short, and the same in a later process. */
  readonly id: string
  readonly bytes: number
}

export interface OpenFile {
  /** May write less than asked; answers how much. */
  write(bytes: Uint8Array, position: number): Promise<number>
  /** May read less than asked; 0 at the end. */
  read(into: Uint8Array, position: number): Promise<number>
  /** Makes bytes and size durable. After a failure the file is poisoned and must be abandoned. */
  sync(): Promise<void>
  size(): Promise<number>
  identify(): Promise<FileIdentity>
  truncate(bytes: number): Promise<void>
  close(): Promise<void>
}
