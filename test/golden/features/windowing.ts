import { keyBy } from '../../../operators/keyBy.js'
import { window } from '../../../operators/window.js'
import { type Case, knownOptions } from '../model.js'
import { keyOf, stream, tagsOf } from '../streaming.js'
import { isDefaultTrigger, windowOptions } from '../windows.js'

/** Windows. Where the trigger may be left unsaid the case runs twice: the operator has shorter ways for what is usual. */
export async function windowing(golden: Case): Promise<void> {
  knownOptions(golden, ['keyBy', 'assigner', 'trigger', 'evictor', 'allowedLateness', 'lateSideOutput', 'state', 'reduce', 'fn'])
  for (const plain of isDefaultTrigger(golden.config) ? [true, false] : [false]) {
    const options = windowOptions(golden.config, plain)
    await stream(golden, {
      inputs: 1,
      tags: tagsOf(golden),
      build: ([input]) => (input as any).pipe(keyBy(keyOf(golden.config['keyBy'])), window('under-test', options as never)),
    })
  }
}
