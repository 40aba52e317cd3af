/** What a file system did, in order. Which of it lasts is decided when an image is asked for. */
export type Operation =
  | { readonly kind: 'made'; readonly node: number; readonly as: 'file' | 'directory' }
  | { readonly kind: 'data'; readonly file: number; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'size'; readonly file: number; readonly size: number }
  | { readonly kind: 'sync'; readonly file: number; readonly succeeded: boolean }
  /** One atomic change of names: a rename within a directory has two. */
  | { readonly kind: 'names'; readonly directory: number; readonly changes: readonly (readonly [name: string, node: number | undefined])[] }
  | { readonly kind: 'syncDirectory'; readonly directory: number; readonly succeeded: boolean }

/** A file or a directory, by number. The bytes are as long as the file. */
export interface FileNode {
  readonly kind: 'file'
  bytes: Uint8Array
  size: number
}
export interface DirectoryNode {
  readonly kind: 'directory'
  readonly names: Map<string, number>
}
export type Node = FileNode | DirectoryNode

/** The whole state of a file system: node 0 is the root. */
export type Nodes = Map<number, Node>

/** A deep copy, so that neither side sees the other's changes. */
export const copied = (nodes: Nodes): Nodes =>
  new Map(
    [...nodes].map(([number, node]) => [
      number,
      node.kind === 'file'
        ? { kind: 'file', bytes: node.bytes.slice(0, node.size), size: node.size }
        : { kind: 'directory', names: new Map(node.names) },
    ]),
  )

export function putBytes(file: FileNode, bytes: Uint8Array, at: number): void {
  const end = at + bytes.length
  if (end > file.bytes.length) {
    const larger = new Uint8Array(Math.max(end, file.bytes.length * 2, 64))
    larger.set(file.bytes.subarray(0, file.size))
    file.bytes = larger
  }
  file.bytes.set(bytes, at)
}

/** Sets the size; what is beyond reads as zeros should the file grow again. */
export function setSize(file: FileNode, size: number): void {
  if (size < file.size) file.bytes.fill(0, size, file.size)
  if (size > file.bytes.length) putBytes(file, new Uint8Array(0), size)
  file.size = size
}
