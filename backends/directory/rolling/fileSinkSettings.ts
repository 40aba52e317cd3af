import { ConfigurationError } from '../../../lib/errors.js'
import { atLeast } from '../../../lib/limits.js'
import type { FileLayer } from '../../../lib/ports/fileLayer.js'
import { nodeFiles } from '../nodeFiles.js'
import type { BucketContext } from './dateBucket.js'
import type { Encode } from './encode.js'
import { encodeJson } from './encodeJson.js'
import { looksFinished } from './fileNames.js'
import { type RollingOptions, type RollingPolicy, rollingPolicy } from './rollingPolicy.js'

export interface FileSinkOptions<T> {
  /** What is written of a value. Default: a line of JSON. */
  readonly encode?: Encode<T>
  /**
   * Chooses the bucket of a value: a folder below the directory, such as `2024-05-01` or `country=de/day=7`; the directory itself is
   * `''`. Default: that one.
   */
  readonly bucket?: (value: T, context: BucketContext) => string
  readonly rolling?: RollingOptions
  /** What each part begins with, such as the names of columns. */
  readonly header?: string
  /** Names of parts begin with it. Default `part`. */
  readonly prefix?: string
  /** Names of parts end with it, such as `.csv`. Default none. */
  readonly suffix?: string
  /** Parts are compressed, and their names end with `.gz` behind the suffix. Sizes are those of the compressed parts. Default false. */
  readonly gzip?: boolean
  /** So many parts take records at a time, each with a file of its own; one more ends the one that was written to least recently. Default 256. */
  readonly openBucketsMax?: number
  /** Where so many parts have ended since a checkpoint, the sink asks for one, and the run pauses until then. Default 10,000. */
  readonly finishedPartsMax?: number
  /**
   * So much stays in memory until it is durable, so that a disk that fails for a while costs nothing; the run pauses while more than
   * that waits to be written. Default 8 MiB.
   */
  readonly bufferBytesMax?: number
  /** The file system. Default: that of the machine. */
  readonly files?: FileLayer
}

/** The options, checked. */
export interface FileSinkSettings<T> {
  readonly path: string
  readonly files: FileLayer
  readonly encode: Encode<T>
  readonly bucket: FileSinkOptions<T>['bucket']
  readonly rolling: RollingPolicy
  readonly header: string | undefined
  readonly prefix: string
  readonly suffix: string
  readonly gzip: boolean
  readonly openBucketsMax: number
  readonly finishedPartsMax: number
  readonly bufferBytesMax: number
}

export function fileSinkSettings<T>(path: string, options: FileSinkOptions<T>): FileSinkSettings<T> {
  const {
    files = nodeFiles,
    encode = encodeJson(),
    bucket,
    rolling,
    header,
    prefix = 'part',
    suffix = '',
    gzip = false,
    openBucketsMax = 256,
    finishedPartsMax = 10_000,
    bufferBytesMax = 8 * 1024 * 1024,
  } = options
  atLeast('openBucketsMax', openBucketsMax, 1)
  atLeast('finishedPartsMax', finishedPartsMax, 1)
  atLeast('bufferBytesMax', bufferBytesMax, 1)
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,49}$/.test(prefix) || looksFinished(prefix))
    throw new ConfigurationError('OPTION_INVALID', {
      option: 'prefix',
      found: prefix,
      expected: 'up to 50 of A-Z, a-z, 0-9, ".", "_" and "-", a letter or digit first',
    })
  if (!/^([A-Za-z0-9._-]{0,49}[A-Za-z0-9_-])?$/.test(suffix) || looksFinished(suffix))
    throw new ConfigurationError('OPTION_INVALID', {
      option: 'suffix',
      found: suffix,
      expected: 'up to 50 of A-Z, a-z, 0-9, ".", "_" and "-", no dot at the end',
    })
  return {
    path,
    files,
    encode,
    bucket,
    rolling: rollingPolicy(rolling),
    header,
    prefix,
    suffix: gzip ? `${suffix}.gz` : suffix,
    gzip,
    openBucketsMax,
    finishedPartsMax,
    bufferBytesMax,
  }
}
