import type { AnyStream, Stream } from '../lib/element.js'
import { sideStream } from '../lib/operate.js'
import type { SideOutput } from '../lib/sideOutput.js'

/**
 * Taps a side output of the operator whose stream it is applied to.
 *
 * It is a fork: the operator has one machine, and two outputs.
 *
 * @param side - the tag that was handed to the operator
 * @throws ConfigurationError `SIDE_OUTPUT_UNREACHABLE` where that operator does not emit it, or something stands in between
 * @category elements
 * @since 0.1.0
 */
export const fromSide =
  <S>(side: SideOutput<S>) =>
  (source: AnyStream): Stream<S> =>
    sideStream(source, side)
