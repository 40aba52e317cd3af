import { crc32 } from 'node:zlib'
import { BackendError } from '../../lib/errors.js'

/**
 * The first 16 bytes of each file.
 *
 *     "rxweir" · kind ("M" manifest, "S" segment, "J" journal) · line feed · format (u16) · least reader (u16) · crc32 of these 12 (u32)
 *
 * All numbers are little endian. A file whose least reader is higher than {@link readerVersion} was written by a release whose
 * bytes this one would misread. Files that are compressed or sealed have format 2, all others format 1.
 */
export const headerBytes = 16
const readerVersion = 2

export type FileKind = 'M' | 'S' | 'J'
export type FileFormat = 1 | 2

export function fileHeader(kind: FileKind, format: FileFormat = 1): Buffer {
  const header = Buffer.alloc(headerBytes)
  header.write(`rxweir${kind}\n`, 'latin1')
  header.writeUInt16LE(format, 8)
  header.writeUInt16LE(format, 10)
  header.writeUInt32LE(crc32(header.subarray(0, 12)), 12)
  return header
}

/** Throws unless these bytes begin a file of that kind that this release can read. Answers how to read it. */
export function checkHeader(bytes: Buffer, kind: FileKind, file: string): FileFormat {
  const damaged = (reason: string): BackendError => new BackendError('SNAPSHOT_CORRUPT', { file, reason })
  if (bytes.length < headerBytes) throw damaged('the file is cut short')
  if (bytes.toString('latin1', 0, 8) !== `rxweir${kind}\n`) throw damaged('the file does not begin as it should')
  if (bytes.readUInt32LE(12) !== crc32(bytes.subarray(0, 12))) throw damaged('the checksum of the header differs')
  const found = bytes.readUInt16LE(10)
  if (found > readerVersion) throw new BackendError('FORMAT_NEWER', { file, found, supported: readerVersion })
  return found < 2 ? 1 : 2
}
