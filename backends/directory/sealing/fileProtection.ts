/**
 * How the files of one job are compressed and sealed: compressed first, then sealed, and checksums over what is stored.
 *
 *     protection: compression (u8) · length of the key's id (u8, 0: not sealed) · id · salt (32) · check of the key (16) · crc32 of these (u32)
 *     block: length as it was (u32) · bytes, compressed where that made them shorter, and sealed · tag (16)
 *
 * A file that is neither compressed nor sealed has no protection: it is written as ever, in format 1.
 */
import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { BackendError, ConfigurationError, invariant } from '../../../lib/errors.js'
import { keyIdMax } from '../../../lib/sealing/sealingKeys.js'
import { checkBytes, type FileKey, fileKeyOf, saltBytes, sealed, tagBytes, unsealed } from './blockCipher.js'
import { type Compression, compressionOf, isAvailable, isCompression, numberOf, packed, unpacked } from './compression.js'
import { type EncryptionOptions, type Keys, keysOf } from './encryptionOptions.js'

export interface ProtectionOptions {
  readonly encryption?: EncryptionOptions | undefined
  readonly compression?: Compression | undefined
}

/** Options that were found usable. */
export interface ProtectionSettings {
  readonly keys: Keys | undefined
  readonly compression: Compression
}

/** @throws ConfigurationError `OPTION_INVALID` */
export function protectionSettings({ encryption, compression = 'none' }: ProtectionOptions): ProtectionSettings {
  if (!isCompression(compression)) throw new ConfigurationError('OPTION_INVALID', { option: 'compression', found: String(compression) })
  if (!isAvailable(compression)) throw new ConfigurationError('OPTION_INVALID', { option: 'compression', found: compression, reason: needsNode })
  return { keys: encryption === undefined ? undefined : keysOf(encryption), compression }
}

const needsNode = 'zstd needs Node 22.15 or later'
const lengthBytes = 4
/** No protection at the beginning of a file is longer. */
export const protectionBytesMax = 2 + keyIdMax + saltBytes + checkBytes + 4

/** Makes the blocks of one new file. */
export interface BlockSealer {
  /** What stands before the first block. */
  readonly beginning: Buffer
  /** The id of the key, where there is one. */
  readonly keyId: string | undefined
  /**
   * The parts of a block. One of them may be the bytes themselves.
   *
   * @param beside - bytes that are stored in the clear elsewhere, and are bound to the block
   */
  seal(bytes: Uint8Array, position: number, beside?: Uint8Array): Promise<readonly Uint8Array[]>
}

/** Opens the blocks of one file. */
export interface BlockOpener {
  open(block: Buffer, position: number, beside?: Uint8Array): Promise<Buffer>
}

const nothing = new Uint8Array(0)

export class FileProtection {
  constructor(
    /** Whose files they are. */
    private readonly owner: string,
    private readonly settings: ProtectionSettings,
  ) {}

  /** A name for the life of a folder, from its first sealed manifest on; undefined where files are not sealed. */
  newLife(): string | undefined {
    return this.settings.keys === undefined ? undefined : randomBytes(16).toString('hex')
  }

  /** For files that no manifest names: what was sealed in another life of the folder does not open. */
  within(life: string | undefined): FileProtection {
    return life === undefined ? this : new FileProtection(`${this.owner} ${life}`, this.settings)
  }

  /** The id of the key that seals new files; undefined where they are not sealed. */
  get keyId(): string | undefined {
    return this.settings.keys?.current
  }

  /** For a new file; undefined where it is neither compressed nor sealed. `before` is what it begins with. */
  sealer(name: string, before: Buffer): BlockSealer | undefined {
    const { keys, compression } = this.settings
    if (keys === undefined && compression === 'none') return undefined
    const id = Buffer.from(keys?.current ?? '', 'latin1')
    const parts: Uint8Array[] = [Uint8Array.of(numberOf(compression), id.length), id]
    let fileKey: FileKey | undefined
    const listed = keys?.byId.get(keys.current)
    if (listed !== undefined) {
      const salt = randomBytes(saltBytes)
      fileKey = fileKeyOf(listed, salt)
      parts.push(salt, fileKey.check)
    }
    const protection = Buffer.concat(parts)
    const beginning = Buffer.concat([before, protection, u32(crc32(protection))])
    const bound = this.bound(name, beginning)
    let last = -1
    return {
      beginning,
      keyId: keys?.current,
      seal: async (bytes, position, beside = nothing) => {
        // A nonce that came again would give both blocks away.
        invariant(position > last, 'blocks are sealed once, in order')
        last = position
        const body = await packed(compression, bytes)
        const length = u32(bytes.length)
        if (fileKey === undefined) return [length, body]
        return [length, ...sealed(fileKey.key, position, Buffer.concat([bound, length, beside]), body)]
      },
    }
  }

  /**
   * For a file that begins with `before` and a protection behind it.
   *
   * @param take - the next bytes behind `before`
   * @param bytesMax - how long a block may have been; a longer one is damage, found before it is made
   */
  async opener(name: string, before: Buffer, take: (length: number) => Promise<Buffer>, bytesMax: number): Promise<BlockOpener> {
    const damaged = (reason: string, cause?: unknown): BackendError => new BackendError('SNAPSHOT_CORRUPT', { file: name, reason }, { cause })
    const start = await take(2)
    const [compressionNumber = 0, idLength = 0] = start
    const rest = await take(idLength + (idLength === 0 ? 0 : saltBytes + checkBytes))
    const sum = await take(4)
    if (sum.readUInt32LE(0) !== crc32(Buffer.concat([start, rest]))) throw damaged('the checksum of the protection differs')
    const compression = compressionOf(compressionNumber)
    if (compression === undefined) throw new BackendError('FORMAT_NEWER', { file: name, found: `compression ${compressionNumber}` })
    if (!isAvailable(compression)) throw new BackendError('FORMAT_NEWER', { file: name, found: compression, reason: needsNode })
    const fileKey = idLength === 0 ? this.plain(name) : this.fileKey(name, rest, idLength)
    const bound = this.bound(name, Buffer.concat([before, start, rest, sum]))
    return {
      open: async (block, position, beside = nothing) => {
        if (block.length < lengthBytes + (fileKey === undefined ? 0 : tagBytes)) throw damaged('a block is cut short')
        const length = block.readUInt32LE(0)
        if (length > bytesMax) throw damaged('a block is longer than any')
        let body = block.subarray(lengthBytes)
        if (fileKey !== undefined)
          try {
            body = unsealed(fileKey.key, position, Buffer.concat([bound, block.subarray(0, lengthBytes), beside]), body)
          } catch (cause) {
            throw damaged('a block is not what was sealed here', cause)
          }
        if (body.length === length) return body
        if (compression === 'none' || body.length > length) throw damaged('a block has another length')
        try {
          return await unpacked(compression, body, length)
        } catch (cause) {
          throw damaged('a block does not decompress', cause)
        }
      },
    }
  }

  /** For a file without a seal. Where files are sealed, it may be anybody's. */
  plain(name: string): undefined {
    const { keys } = this.settings
    if (keys !== undefined && !keys.readsPlain) throw new BackendError('FILE_NOT_SEALED', { file: name })
  }

  private fileKey(name: string, rest: Buffer, idLength: number): FileKey {
    const key = rest.toString('latin1', 0, idLength)
    const listed = this.settings.keys?.byId.get(key)
    if (listed === undefined) throw new BackendError('KEY_MISSING', { file: name, key })
    const fileKey = fileKeyOf(listed, rest.subarray(idLength, idLength + saltBytes))
    if (!fileKey.check.equals(rest.subarray(idLength + saltBytes))) throw new BackendError('KEY_WRONG', { file: name, key })
    return fileKey
  }

  /** Injective: the texts have their lengths in front, and the beginning of a file tells its own. */
  private bound(name: string, beginning: Buffer): Buffer {
    const owner = Buffer.from(this.owner)
    const file = Buffer.from(name)
    return Buffer.concat([u32(owner.length), owner, u32(file.length), file, beginning])
  }
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
