import type { Key } from './key.js'
import { defaultMaxParallelism, type KeyGroupRange, keyGroupOf, keyGroupRange, maxParallelismMax, wholeWithin } from './keyGroup.js'

/** One of several processes that run the same job, each for the keys of its own key groups. */
export interface JobInstance {
  /** From 0 to `of - 1`. */
  readonly index: number
  /** How many there are. */
  readonly of: number
}

/** The keys that a run is there for: all, or those of one instance of several. */
export class InstanceShare implements JobInstance {
  private groups: number
  private own: KeyGroupRange

  constructor(
    readonly index: number,
    readonly of: number,
    /** Undefined: what the checkpoint says, or what is usual. */
    private readonly asked: number | undefined,
  ) {
    this.groups = asked ?? defaultMaxParallelism(of)
    this.own = keyGroupRange(index, of, this.groups)
  }

  static alone(): InstanceShare {
    return new InstanceShare(0, 1, undefined)
  }

  get maxParallelism(): number {
    return this.groups
  }

  /** Another instance has other keys. */
  get isSplit(): boolean {
    return this.of > 1
  }

  get range(): KeyGroupRange {
    return this.own
  }

  owns(key: Key): boolean {
    const group = keyGroupOf(key, this.groups)
    return group >= this.own.first && group <= this.own.last
  }

  /** Goes by the number of key groups that is stored. False where another one was asked for: a key would lie in two groups. */
  adopt(maxParallelism: number): boolean {
    if (this.asked !== undefined && this.asked !== maxParallelism) return false
    this.own = keyGroupRange(this.index, this.of, maxParallelism)
    this.groups = maxParallelism
    return true
  }
}

/** Checks `instance` and `maxParallelism` of a job's options. */
export function shareOf(instance: JobInstance | undefined, maxParallelism: number | undefined): InstanceShare {
  const { index, of } = instance ?? { index: 0, of: 1 }
  wholeWithin('instance.of', of, 1, maxParallelism ?? maxParallelismMax)
  wholeWithin('instance.index', index, 0, of - 1)
  if (maxParallelism !== undefined) wholeWithin('maxParallelism', maxParallelism, 1, maxParallelismMax)
  return new InstanceShare(index, of, maxParallelism)
}
