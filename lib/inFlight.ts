/**
 * What a barrier has overtaken on the way into an operator: records, watermarks and idleness, in the order in which they came.
 *
 * **Invariants** It is fixed when the barrier of the last input has come. Each element goes back into the input that it came
 * from, known by its number and its path: an input with another path is another one, and the restore is refused.
 *
 * The end of time and the end of input are left out: an input that has ended says so again after a restore.
 */
import { either } from 'fp-ts'
import * as t from 'io-ts'
import { type Element, RecordElement, Watermark, WatermarkStatus } from './element.js'
import { BackendError, RestoreError } from './errors.js'
import type { Json } from './json.js'
import { decodeKey, encodeKey, type Key } from './key.js'
import type { StateCodec } from './stateCodec.js'

const nothing = t.null
const Stored = t.type({
  inputs: t.array(t.string),
  version: t.number,
  elements: t.array(
    t.union([
      t.tuple([t.number, t.literal('record'), t.string, t.union([t.number, nothing]), t.union([t.string, nothing])]),
      t.tuple([t.number, t.literal('watermark'), t.number]),
      t.tuple([t.number, t.literal('idle'), t.boolean]),
    ]),
  ),
})
type StoredElement = t.TypeOf<typeof Stored>['elements'][number]

/** An element and the input that it goes into. */
export interface Arrival {
  readonly input: number
  readonly element: RecordElement | Watermark | WatermarkStatus
}

export class InFlight {
  private readonly elements: StoredElement[] = []

  constructor(private readonly codec: StateCodec<unknown>) {}

  get size(): number {
    return this.elements.length
  }

  /** Throws for a value that cannot be written. */
  add(input: number, element: Element): void {
    if (element.kind === 'record') {
      const { value, timestamp, key } = element
      this.elements.push([input, 'record', this.codec.toText(value), timestamp ?? null, key === undefined ? null : encodeKey(key as Key)])
    } else if (element.kind === 'status') this.elements.push([input, 'idle', element.idle])
    else if (element.kind === 'watermark' && Number.isFinite(element.timestampMs)) this.elements.push([input, 'watermark', element.timestampMs])
  }

  /** Nothing where nothing was overtaken. */
  stored(inputs: readonly string[]): Json | undefined {
    return this.elements.length === 0 ? undefined : { inputs, version: this.codec.version, elements: this.elements }
  }
}

/** Reads what was overtaken, for the inputs that there are now. */
export function readInFlight(stored: Json, inputs: readonly string[], { codec, uid }: { codec: StateCodec<unknown>; uid: string }): Arrival[] {
  const decoded = Stored.decode(stored)
  if (either.isLeft(decoded)) throw new BackendError('SNAPSHOT_CORRUPT', { uid, what: 'the records in flight' })
  const { elements, version, inputs: stood } = decoded.right
  return elements.map((element) => {
    const [input] = element
    if (stood[input] === undefined || inputs[input] !== stood[input])
      throw new RestoreError('STATE_UNCLAIMED', { uid, kind: 'records in flight', input, path: stood[input], inProgram: inputs })
    return { input, element: elementOf(element, codec, version) }
  })
}

function elementOf(stored: StoredElement, codec: StateCodec<unknown>, version: number): Arrival['element'] {
  switch (stored[1]) {
    case 'record':
      return new RecordElement(codec.fromText(stored[2], version), stored[3] ?? undefined, stored[4] === null ? undefined : decodeKey(stored[4]))
    case 'watermark':
      return new Watermark(stored[2])
    case 'idle':
      return new WatermarkStatus(stored[2])
  }
}
