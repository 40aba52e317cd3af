/** Where one input of an operator stands in event time. */
export interface InputTime {
  /** The way from its sources to here. */
  readonly path: string
  /** `-Infinity` before the first watermark, `Infinity` when it has ended. */
  readonly watermark: number
  readonly idle: boolean
}

/** Where an operator stands in event time. */
export interface OperatorTime {
  readonly uid: string
  readonly watermark: number
  readonly idle: boolean
  /** Of an operator with several inputs. */
  readonly inputs: readonly InputTime[]
}

/** What holds event time back, and where every operator stands. */
export interface WatermarkExplanation {
  /** The way of the input that the others wait for; undefined where no operator waits for one of several inputs. */
  readonly heldBackBy: string | undefined
  readonly operators: readonly OperatorTime[]
}

/** Finds the input that others wait for: the one furthest behind, nearest to its source. */
export function explain(operators: readonly OperatorTime[]): WatermarkExplanation {
  let slowest: InputTime | undefined
  for (const { inputs } of operators) {
    const active = inputs.filter(({ idle }) => !idle)
    const furthest = active.reduce((most, { watermark }) => Math.max(most, watermark), Number.NEGATIVE_INFINITY)
    for (const input of active) {
      const waitedFor = input.watermark < furthest
      const before =
        slowest === undefined ||
        input.watermark < slowest.watermark ||
        (input.watermark === slowest.watermark && input.path.length < slowest.path.length)
      if (waitedFor && before) slowest = input
    }
  }
  return { heldBackBy: slowest?.path, operators }
}
