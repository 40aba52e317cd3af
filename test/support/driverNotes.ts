import type { CrashFs } from '../../laws/crashFs.js'
import type { DriverEvents, Manifest } from './sinkDriver.js'

/** What was known at a place of the log of a file system. */
export interface Known<Seen> {
  readonly cut: number
  readonly manifest: Manifest
  /** What was acknowledged as committed. */
  readonly confirmed: Seen
}

export interface Notes<Seen> extends DriverEvents {
  readonly known: readonly Known<Seen>[]
  last(): Known<Seen>
  at(cut: number): Known<Seen>
}

/** Notes what is known as a run goes on; `seen` says what an acknowledgement up to an offset is worth. */
export function driverNotes<Seen>(files: CrashFs, manifest: Manifest, confirmed: Seen, seen: (offset: number) => Seen): Notes<Seen> {
  const known: Known<Seen>[] = [{ cut: 0, manifest, confirmed }]
  const last = (): Known<Seen> => known.at(-1) as Known<Seen>
  return {
    known,
    last,
    at: (cut) => known.findLast((found) => found.cut <= cut) as Known<Seen>,
    published: (next) => void known.push({ ...last(), cut: files.cuts, manifest: next }),
    confirmed: (offset) => void known.push({ ...last(), cut: files.cuts, confirmed: seen(offset) }),
  }
}
