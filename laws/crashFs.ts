/**
 * A file system in memory that can be cut off at any instant.
 *
 * The process sees everything at once; beside that stands a log of what was done. {@link CrashFs.cutAt} computes from it what a
 * power cut may leave (crashFsImage.ts has the rules), {@link CrashFs.afterProcessDeath} what the death of the process leaves.
 * An image is a file system again: recovery runs on it and is cut in turn.
 *
 * **Invariants** Everything is a function of the calls and of what is handed in: no time, no chance, only microtasks.
 */
import type { FileIdentity, FileLayer, OpenFile } from '../lib/ports/fileLayer.js'
import { type Faults, type FileCall, FileError } from './crashFsError.js'
import { cutAt, type ImageOptions, type Survives } from './crashFsImage.js'
import { copied, type DirectoryNode, type FileNode, type Nodes, type Operation, putBytes, setSize } from './crashFsLog.js'

export interface CrashFsOptions extends Partial<ImageOptions> {
  /** Room for the bytes of all files; see {@link CrashFs.bytesMax}. */
  readonly bytesMax?: number
  /** Room for files and directories; see {@link CrashFs.nodesMax}. */
  readonly nodesMax?: number
  /** Lack of room is told by the write, or only by the sync. */
  readonly fullAt?: 'write' | 'sync'
  /** After a failed sync the process goes on seeing what it wrote, or sees what was durable before. */
  readonly afterFailedSync?: 'keep' | 'revert'
}

/** What a power cut at one place may leave. */
export interface PowerCut {
  /** How many pieces may last or not, each for itself. */
  readonly pieces: number
  image(survives: Survives): CrashFs
}

const rootNode = 0

export class CrashFs implements FileLayer {
  /** Decides about each call; may be set at any time. */
  faults: Faults | undefined
  /** How many calls there were. */
  calls = 0
  /** Files that were opened and not closed. */
  openFiles = 0

  /** Room for the bytes of all files; more may be given, and taken away, at any time. */
  bytesMax: number
  /** Room for files and directories. */
  nodesMax: number

  private readonly options: CrashFsOptions
  private readonly durable: Nodes
  private nodes: Nodes
  private readonly log: Operation[]
  private nextNode: number

  constructor(
    options: CrashFsOptions = {},
    durable: Nodes = new Map([[rootNode, { kind: 'directory', names: new Map() }]]),
    log: readonly Operation[] = [],
    nodes?: Nodes,
  ) {
    this.options = options
    this.bytesMax = options.bytesMax ?? Number.POSITIVE_INFINITY
    this.nodesMax = options.nodesMax ?? Number.POSITIVE_INFINITY
    this.durable = durable
    this.log = [...log]
    this.nodes = copied(nodes ?? durable)
    this.nextNode = Math.max(...this.nodes.keys()) + 1
  }

  /** Places where the power can be cut: 0, before everything, to this one, after everything. */
  get cuts(): number {
    return this.log.length
  }

  /** The power is cut after the first `cut` operations. */
  cutAt(cut: number): PowerCut {
    const { mode = 'posix', sectorBytes = 512, staleByte = 0 } = this.options
    const { pieces, imageOf } = cutAt(this.durable, this.log, cut, { mode, sectorBytes, staleByte })
    return { pieces, image: (survives) => new CrashFs(this.options, imageOf(survives)) }
  }

  /** The process has died: all that it did is there, and what was not synced may still be lost in a power cut. */
  afterProcessDeath(): CrashFs {
    return new CrashFs(this.options, this.durable, this.log, this.nodes)
  }

  /** The same files with everything durable. */
  settled(): CrashFs {
    return new CrashFs(this.options, copied(this.nodes))
  }

  /** Paths and bytes of all files, by path. */
  contents(): ReadonlyMap<string, Uint8Array> {
    const found = new Map<string, Uint8Array>()
    const walk = (node: number, path: string): void => {
      const entry = this.nodes.get(node)
      if (entry?.kind === 'file') found.set(path, entry.bytes.slice(0, entry.size))
      if (entry?.kind === 'directory') for (const name of [...entry.names.keys()].sort()) walk(entry.names.get(name) as number, `${path}/${name}`)
    }
    walk(rootNode, '')
    return found
  }

  /** Damages a file behind everyone's back. */
  damage(path: string, bytes: Uint8Array): void {
    const file = this.file(path, 'damage')[1]
    file.bytes = bytes.slice()
    file.size = bytes.length
  }

  // --- the file layer

  async create(path: string): Promise<OpenFile> {
    await this.call('create', path)
    const [directory, name] = this.parent(path, 'create')
    if (this.nodes.get(directory)?.kind === 'directory' && this.directory(directory).names.has(name)) throw new FileError('EEXIST', 'create', path)
    const node = this.make({ kind: 'file', bytes: new Uint8Array(64), size: 0 }, path)
    this.changeNames(directory, [[name, node]])
    return this.opened(node, path, true)
  }

  async open(path: string): Promise<OpenFile> {
    await this.call('open', path)
    return this.opened(this.file(path, 'open')[0], path, false)
  }

  async link(from: string, to: string): Promise<void> {
    await this.call('link', to)
    const [node] = this.file(from, 'link')
    const [directory, name] = this.parent(to, 'link')
    if (this.directory(directory).names.has(name)) throw new FileError('EEXIST', 'link', to)
    this.changeNames(directory, [[name, node]])
  }

  async rename(from: string, to: string): Promise<void> {
    await this.call('rename', to)
    const [node] = this.file(from, 'rename')
    const [fromDirectory, fromName] = this.parent(from, 'rename')
    const [toDirectory, toName] = this.parent(to, 'rename')
    if (fromDirectory !== toDirectory) throw new FileError('EACCES', 'rename', to)
    this.changeNames(toDirectory, [
      [fromName, undefined],
      [toName, node],
    ])
  }

  async unlink(path: string): Promise<void> {
    await this.call('unlink', path)
    this.file(path, 'unlink')
    const [directory, name] = this.parent(path, 'unlink')
    this.changeNames(directory, [[name, undefined]])
  }

  async makeDirectory(path: string): Promise<void> {
    await this.call('makeDirectory', path)
    let directory = rootNode
    for (const name of segments(path)) {
      const known = this.directory(directory).names.get(name)
      if (known !== undefined && this.nodes.get(known)?.kind !== 'directory') throw new FileError('EEXIST', 'makeDirectory', path)
      const next = known ?? this.make({ kind: 'directory', names: new Map() }, path)
      if (known === undefined) this.changeNames(directory, [[name, next]])
      try {
        await this.syncNames(directory, path)
      } catch (error) {
        // A later sync could not be believed for this entry, so the next attempt makes a new one.
        if (known === undefined) this.changeNames(directory, [[name, undefined]])
        throw error
      }
      directory = next
    }
  }

  async list(path: string): Promise<readonly string[]> {
    await this.call('list', path)
    return [...this.directory(this.find(path, 'list')).names.keys()]
  }

  async size(path: string): Promise<number | undefined> {
    await this.call('size', path)
    try {
      return this.file(path, 'size')[1].size
    } catch (error) {
      if (error instanceof FileError && error.code === 'ENOENT') return undefined
      throw error
    }
  }

  async identify(path: string): Promise<FileIdentity | undefined> {
    await this.call('identify', path)
    try {
      const node = this.find(path, 'identify')
      const entry = this.nodes.get(node)
      return entry?.kind === 'file' ? { id: String(node), bytes: entry.size } : undefined
    } catch (error) {
      if (error instanceof FileError && error.code === 'ENOENT') return undefined
      throw error
    }
  }

  async syncDirectory(path: string): Promise<void> {
    await this.syncNames(this.find(path, 'syncDirectory'), path)
  }

  // --- within

  /** Counts a call, gives others their turn, and fails it where that was asked for. */
  private async call(name: FileCall['name'], path: string): Promise<number> {
    const number = this.calls++
    const fault = this.faults?.({ number, name, path })
    await Promise.resolve()
    if (fault === undefined) return Number.POSITIVE_INFINITY
    if ('code' in fault) throw new FileError(fault.code, name, path)
    return fault.bytesMax
  }

  private async syncNames(directory: number, path: string): Promise<void> {
    try {
      await this.call('syncDirectory', path)
    } catch (error) {
      this.log.push({ kind: 'syncDirectory', directory, succeeded: false })
      throw error
    }
    this.log.push({ kind: 'syncDirectory', directory, succeeded: true })
  }

  private make(node: FileNode | DirectoryNode, path: string): number {
    if (Number.isFinite(this.nodesMax) && this.live().size >= this.nodesMax) throw new FileError('ENOSPC', 'create', path)
    const number = this.nextNode++
    this.nodes.set(number, node)
    this.log.push({ kind: 'made', node: number, as: node.kind })
    return number
  }

  private changeNames(directory: number, changes: readonly (readonly [string, number | undefined])[]): void {
    const { names } = this.directory(directory)
    for (const [name, node] of changes) {
      if (node === undefined) names.delete(name)
      else names.set(name, node)
    }
    this.log.push({ kind: 'names', directory, changes })
  }

  private opened(node: number, path: string, writable: boolean): OpenFile {
    const file = this.nodes.get(node) as FileNode
    let open = true
    this.openFiles += 1
    const call = async (name: FileCall['name']): Promise<number> => {
      if (!open) throw new FileError('EBADF', name, path)
      return this.call(name, path)
    }
    let overdrawn = false
    return {
      write: async (bytes, position) => {
        const most = await call('write')
        if (!writable) throw new FileError('EBADF', 'write', path)
        let length = Math.min(bytes.length, most)
        const grows = Math.max(0, position + length - file.size)
        const room = Number.isFinite(this.bytesMax) ? this.bytesMax - this.used() : this.bytesMax
        if (grows > room) {
          if (this.options.fullAt === 'sync') overdrawn = true
          else {
            length = Math.max(0, length - (grows - Math.max(0, room)))
            if (length === 0) throw new FileError('ENOSPC', 'write', path)
          }
        }
        const written = bytes.slice(0, length)
        putBytes(file, written, position)
        file.size = Math.max(file.size, position + length)
        this.log.push({ kind: 'data', file: node, at: position, bytes: written })
        return length
      },
      read: async (into, position) => {
        const most = await call('read')
        const part = file.bytes.subarray(position, Math.min(file.size, position + Math.min(into.length, Math.max(1, most))))
        into.set(part)
        return part.length
      },
      sync: async () => {
        try {
          await call('sync')
          if (overdrawn) throw new FileError('ENOSPC', 'sync', path)
        } catch (error) {
          this.log.push({ kind: 'sync', file: node, succeeded: false })
          if (this.options.afterFailedSync === 'revert') setSize(file, 0)
          throw error
        }
        this.log.push({ kind: 'sync', file: node, succeeded: true })
      },
      size: async () => {
        await call('size')
        return file.size
      },
      identify: async () => {
        await call('identify')
        return { id: String(node), bytes: file.size }
      },
      truncate: async (bytes) => {
        await call('truncate')
        setSize(file, bytes)
        this.log.push({ kind: 'size', file: node, size: bytes })
      },
      close: async () => {
        if (!open) throw new FileError('EBADF', 'close', path)
        // The descriptor is gone whatever close says.
        open = false
        this.openFiles -= 1
        await this.call('close', path)
      },
    }
  }

  private used(): number {
    let sum = 0
    for (const node of this.live()) {
      const entry = this.nodes.get(node)
      if (entry?.kind === 'file') sum += entry.size
    }
    return sum
  }

  /** What some name leads to. */
  private live(): ReadonlySet<number> {
    const found = new Set<number>()
    const walk = (node: number): void => {
      if (found.has(node)) return
      found.add(node)
      const entry = this.nodes.get(node)
      if (entry?.kind === 'directory') for (const child of entry.names.values()) walk(child)
    }
    walk(rootNode)
    return found
  }

  private directory(node: number): DirectoryNode {
    const entry = this.nodes.get(node)
    if (entry?.kind !== 'directory') throw new FileError('ENOTDIR', 'open', String(node))
    return entry
  }

  private find(path: string, syscall: string): number {
    let node = rootNode
    for (const name of segments(path)) {
      const next = this.directory(node).names.get(name)
      if (next === undefined) throw new FileError('ENOENT', syscall, path)
      node = next
    }
    return node
  }

  private file(path: string, syscall: string): readonly [number, FileNode] {
    const node = this.find(path, syscall)
    const entry = this.nodes.get(node)
    if (entry?.kind !== 'file') throw new FileError('EISDIR', syscall, path)
    return [node, entry]
  }

  private parent(path: string, syscall: string): readonly [number, string] {
    const names = segments(path)
    const name = names.pop()
    if (name === undefined) throw new FileError('EEXIST', syscall, path)
    return [this.find(names.join('/'), syscall), name]
  }
}

const segments = (path: string): string[] => path.split('/').filter((name) => name !== '' && name !== '.')
