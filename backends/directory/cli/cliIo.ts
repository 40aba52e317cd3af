import type { Clock } from '../../../lib/clock.js'

/** What the command line has of the outside. */
export interface CliIo {
  /** What was asked for, as text or as its bytes. Resolves when it is written, and bytes may be used for something else. */
  out(text: string | Uint8Array): Promise<void>
  /** What went wrong, and how far it is. */
  err(text: string): void
  /** Lines that are handed in. */
  lines(): AsyncIterable<string>
  /** Somebody watches `err`. */
  readonly isWatched: boolean
  readonly clock: Pick<Clock, 'nowMs' | 'callAt'>
  /** A terminal that `out` writes to; undefined where it writes to something else. */
  readonly screen?: Screen | undefined
}

export interface Screen {
  size(): { readonly columns: number; readonly rows: number }
  /** Calls when the user ends it: by q, by Ctrl-C, or from outside. The function returned lets go of the keyboard. */
  onEnd(end: () => void): () => void
}

/** How a command ends. */
export const exitCodes = { fine: 0, finding: 1, usage: 2 } as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]
