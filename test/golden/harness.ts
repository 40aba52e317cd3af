import type { Observable } from 'rxjs'
import type { HarnessOutput } from '../../laws/harness/harnessOutput.js'
import { OperatorHarness } from '../../laws/harness/operatorHarness.js'
import type { StreamElement } from '../../lib/element.js'
import type { Emitted } from './play.js'

export { HandClock } from '../../laws/harness/handClock.js'
export type { Kept } from '../../laws/harness/operatorHarness.js'

export type Elements = Observable<StreamElement<any, any>>

export interface HarnessOptions {
  /** The operator under test, over its inputs. Called anew for each instance. */
  build(inputs: readonly Elements[]): Elements
  readonly inputs: number
  /** Side outputs to tap. */
  readonly tags?: readonly string[]
}

/** The harness of the laws, whose outputs are told in the words of the cases. */
export class Harness extends OperatorHarness {
  constructor({ build, inputs, tags = [] }: HarnessOptions) {
    super({ build: (streams) => build(streams as unknown as readonly Elements[]), inputs, tags })
  }

  takeEmitted(): Emitted[] {
    return this.take().flatMap(told)
  }
}

function told(output: HarnessOutput): Emitted[] {
  switch (output.kind) {
    case 'record':
      return [{ kind: 'record', value: output.value, ts: output.timestamp }]
    case 'side':
      return [{ kind: 'side', tag: output.tag, value: output.value, ts: output.timestamp }]
    case 'watermark':
      return [{ kind: 'watermark', ts: output.timestamp }]
    case 'status':
      return [{ kind: 'status', value: output.idle ? 'idle' : 'active' }]
    case 'end':
      return []
  }
}
