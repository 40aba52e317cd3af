import type { Reading } from '../readings.js'

const numberOf = (result: unknown): number => {
  if (typeof result === 'number') return result
  if (Array.isArray(result)) return result.length + numberOf(result[0])
  return (result as Reading | undefined)?.celsius ?? 0
}

/** Takes results in, so that two ways can be told apart: by how many there were, by what they were and by their order. */
export class Results {
  private count = 0
  private mixed = 0

  take(result: unknown): void {
    this.count += 1
    this.mixed = (this.mixed + numberOf(result)) * 0.999
  }

  get made(): string {
    return `${this.count} results, mixed to ${this.mixed}`
  }
}
