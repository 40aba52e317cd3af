/**
 * What a power cut leaves of a log of operations.
 *
 * **Fault model**
 * - A sync of a file makes its earlier bytes and size durable, not its name. A sync of a directory makes its earlier names durable.
 * - What was not synced lasts or not, each piece for itself: bytes per sector, the size apart from the bytes, each change of
 *   names. A size without its bytes reads as zeros, or as stale bytes of another file.
 * - What a *failed* sync covered may be lost for ever, whatever a later sync says.
 * - In mode `ordered` names last as a prefix of one log, and every sync commits that log, as journaling file systems do.
 */
import { copied, type FileNode, type Node, type Nodes, type Operation, putBytes, setSize } from './crashFsLog.js'

export interface ImageOptions {
  readonly mode: 'posix' | 'ordered'
  readonly sectorBytes: number
  /** Bytes that were never written read as this instead of zero. */
  readonly staleByte: number
}

/** Says of each piece that is not durable whether it lasts. Pieces are numbered in log order. */
export type Survives = (piece: number, pieces: number) => boolean

/** Everything that is decided by the place of the cut alone. */
export interface Cut {
  /** How many pieces are not durable. */
  readonly pieces: number
  imageOf(survives: Survives): Nodes
}

type Piece =
  | { readonly kind: 'made'; readonly node: number; readonly as: 'file' | 'directory'; durable: boolean }
  | { readonly kind: 'data'; readonly file: number; readonly at: number; readonly bytes: Uint8Array; durable: boolean }
  | { readonly kind: 'size'; readonly file: number; readonly size: number; durable: boolean }
  | { readonly kind: 'names'; readonly directory: number; readonly changes: readonly (readonly [string, number | undefined])[]; durable: boolean }

export function cutAt(base: Nodes, log: readonly Operation[], cut: number, options: ImageOptions): Cut {
  const pieces = decide(base, log, cut, options)
  const open = pieces.filter((piece) => !piece.durable).length
  return { pieces: open, imageOf: (survives) => build(base, pieces, open, survives, options) }
}

/** Walks the log and notes which pieces are durable at the cut. */
function decide(base: Nodes, log: readonly Operation[], cut: number, options: ImageOptions): readonly Piece[] {
  const pieces: Piece[] = []
  const sizes = new Map<number, number>()
  /** Pieces that the next sync decides about, per file or directory. */
  const pending = new Map<number, Piece[]>()
  const wait = (node: number, piece: Piece): void => {
    pieces.push(piece)
    const waiting = pending.get(node)
    if (waiting === undefined) pending.set(node, [piece])
    else waiting.push(piece)
  }
  const settle = (node: number, succeeded: boolean): void => {
    for (const piece of pending.get(node) ?? []) piece.durable = succeeded
    pending.delete(node)
  }
  const commitNames = (): void => {
    if (options.mode !== 'ordered') return
    for (const [node, waiting] of pending) if (waiting[0]?.kind === 'names') settle(node, true)
  }
  const sizeOf = (file: number): number => {
    const node = base.get(file)
    return sizes.get(file) ?? (node?.kind === 'file' ? node.size : 0)
  }
  for (const operation of log.slice(0, cut)) {
    switch (operation.kind) {
      case 'made':
        pieces.push({ ...operation, durable: true })
        break
      case 'data': {
        const { file, at, bytes } = operation
        for (let from = 0; from < bytes.length; ) {
          const border = (Math.floor((at + from) / options.sectorBytes) + 1) * options.sectorBytes - at
          const to = Math.min(border, bytes.length)
          wait(file, { kind: 'data', file, at: at + from, bytes: bytes.subarray(from, to), durable: false })
          from = to
        }
        if (at + bytes.length > sizeOf(file)) {
          sizes.set(file, at + bytes.length)
          wait(file, { kind: 'size', file, size: at + bytes.length, durable: false })
        }
        break
      }
      case 'size':
        sizes.set(operation.file, operation.size)
        wait(operation.file, { ...operation, durable: false })
        break
      case 'names':
        wait(operation.directory, { ...operation, durable: false })
        break
      case 'sync':
        settle(operation.file, operation.succeeded)
        if (operation.succeeded) commitNames()
        break
      case 'syncDirectory':
        settle(operation.directory, operation.succeeded)
        if (operation.succeeded) commitNames()
        break
    }
  }
  return pieces
}

function build(base: Nodes, pieces: readonly Piece[], open: number, survives: Survives, options: ImageOptions): Nodes {
  const nodes = copied(base)
  const written = new Map<number, { bytes: FileNode; size: number }>()
  const fileOf = (number: number): { bytes: FileNode; size: number } => {
    const known = written.get(number)
    if (known !== undefined) return known
    const node = nodes.get(number)
    const file: FileNode = node?.kind === 'file' ? node : { kind: 'file', bytes: new Uint8Array(0), size: 0 }
    nodes.set(number, file)
    const entry = { bytes: file, size: file.size }
    written.set(number, entry)
    return entry
  }
  const directoryOf = (number: number): Extract<Node, { kind: 'directory' }> => {
    const node = nodes.get(number)
    if (node?.kind === 'directory') return node
    const made = { kind: 'directory', names: new Map<string, number>() } as const
    nodes.set(number, made)
    return made
  }
  let index = 0
  let namesLast = true
  for (const piece of pieces) {
    let lasts = piece.durable || survives(index, open)
    if (!piece.durable) index += 1
    if (options.mode === 'ordered' && piece.kind === 'names') {
      namesLast &&= lasts
      lasts = namesLast
    }
    if (!lasts) continue
    if (piece.kind === 'made') {
      if (piece.as === 'file') fileOf(piece.node)
      else directoryOf(piece.node)
    } else if (piece.kind === 'names') {
      for (const [name, node] of piece.changes) {
        if (node === undefined) directoryOf(piece.directory).names.delete(name)
        else directoryOf(piece.directory).names.set(name, node)
      }
    } else if (piece.kind === 'size') {
      const entry = fileOf(piece.file)
      entry.size = piece.size
      if (piece.size < entry.bytes.size) setSize(entry.bytes, piece.size)
    } else {
      const { bytes } = fileOf(piece.file)
      const end = bytes.size
      if (piece.at > end) {
        putBytes(bytes, new Uint8Array(piece.at - end).fill(options.staleByte), end)
        bytes.size = piece.at
      }
      putBytes(bytes, piece.bytes, piece.at)
      bytes.size = Math.max(bytes.size, piece.at + piece.bytes.length)
    }
  }
  for (const { bytes, size } of written.values()) {
    const end = bytes.size
    setSize(bytes, size)
    if (size > end) bytes.bytes.fill(options.staleByte, end, size)
  }
  return nodes
}
