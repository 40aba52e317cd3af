import { ConfigurationError } from '../errors.js'
import { operatorUid } from '../identity.js'
import { type Key, normalKey } from '../key.js'
import { keyGroupOf } from '../keyGroup.js'
import type { RowChunk } from '../ports/checkpointStorage.js'
import { RowFrames } from '../state/rowFrames.js'
import { type RowShape, writtenAddress } from './rowAddress.js'
import type { StateFormat } from './stateFormat.js'
import type { AnyNewRow } from './statePart.js'

const chunkBytes = 256 * 1024

export interface WrittenState {
  readonly uid: string
  readonly table: string
  readonly format: StateFormat
  /** The number of the cell. */
  readonly cell: number
  readonly maxParallelism: number
}

/** Encodes rows of one state, and hands them on in chunks. */
export class WrittenRows {
  private readonly frames = new RowFrames()
  /** The next element of a list that has no number: any number will do that is higher than those before it. */
  private element = 0

  constructor(
    private readonly state: WrittenState,
    private readonly write: (chunk: RowChunk) => Promise<void>,
  ) {}

  add(row: AnyNewRow, foreign?: Uint8Array): void {
    const { format, cell, maxParallelism } = this.state
    const key = normalKey(row.key)
    const namespace = row.namespace === undefined ? undefined : normalKey(row.namespace)
    const entry = this.entryOf(row)
    const shape: RowShape = format.hasEntries ? 'entry' : namespace === undefined ? 'key' : 'namespace'
    const address = writtenAddress({ key, namespace, entry }, shape)
    const { touchedMs } = row
    if (touchedMs !== undefined && !Number.isFinite(touchedMs)) throw this.invalid('touchedMs', touchedMs, 'a time in milliseconds')
    if (row.value === undefined) throw this.invalid('value', undefined, 'a value; leave the row out where there is none')
    const text = format.codec.toText(row.value)
    this.frames.addCell(keyGroupOf(key, maxParallelism), address, cell, format.codec.version, format.expires ? touchedMs : undefined, text, foreign)
  }

  /** Hands on what has come together, where it is worth it. */
  turn(): Promise<void> | undefined {
    return this.frames.byteLength < chunkBytes ? undefined : this.end()
  }

  end(): Promise<void> | undefined {
    const { rows } = this.frames
    if (rows === 0) return undefined
    const { uid, table } = this.state
    return this.write({ uid: operatorUid(uid), table, rows, bytes: this.frames.take() })
  }

  private entryOf({ entry }: AnyNewRow): Key | undefined {
    const { hasEntries, isList } = this.state.format
    if (!hasEntries) {
      if (entry !== undefined) throw this.invalid('entry', entry, 'none: the state has one value for each key')
      return undefined
    }
    if (!isList) {
      if (entry === undefined) throw this.invalid('entry', entry, 'the key of an entry of the map')
      return normalKey(entry)
    }
    const number = entry ?? this.element
    if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < 0) throw this.invalid('entry', entry, 'the number of an element')
    this.element = Math.max(this.element, number + 1)
    return number
  }

  private invalid(option: string, found: unknown, expected: string): ConfigurationError {
    return new ConfigurationError('OPTION_INVALID', { uid: this.state.uid, state: this.state.table, option, found, expected })
  }
}
