/** A pipeline that says of each value the how manieth of its key it is, and what its results say when they come from many lives. */
import * as t from 'io-ts'
import type { Stream } from '../../lib/element.js'
import type { Delivered } from '../../lib/intake/delivered.js'
import { keyBy } from '../../operators/keyBy.js'
import { statefulMap } from '../../operators/statefulMap.js'

export interface Counted {
  readonly value: number
  readonly key: number
  /** How many values of the key came up to it. */
  readonly count: number
}

const keys = 3

export const counting = (values: Stream<number>) =>
  values.pipe(
    keyBy((value) => value % keys),
    statefulMap('count', { state: t.number, initial: 0 }, (n, value: number) => [n + 1, { value, key: value % keys, count: n + 1 }]),
  )

/** What the results of all lives say together. */
export class Findings {
  /** The value at each place of each key, and the other way round. */
  private readonly atPlace = new Map<string, number>()
  private readonly placeOf = new Map<number, string>()
  private readonly ids = new Map<string, string>()
  private readonly highest: number[] = Array.from({ length: keys }, () => 0)
  results = 0
  /** Results that came again. */
  repeated = 0
  readonly wrong: string[] = []

  saw(result: Counted): void {
    const place = `${result.key}/${result.count}`
    this.results += 1
    if (this.atPlace.get(place) === result.value) this.repeated += 1
    else if (this.atPlace.has(place)) this.wrong.push(`place ${place} has ${this.atPlace.get(place)} and ${result.value}`)
    const before = this.placeOf.get(result.value)
    if (before !== undefined && before !== place) this.wrong.push(`${result.value} is counted at ${before} and at ${place}`)
    this.atPlace.set(place, result.value)
    this.placeOf.set(result.value, place)
    this.highest[result.key] = Math.max(this.highest[result.key] as number, result.count)
  }

  delivered({ id, sequence, value }: Delivered<Counted>): void {
    const known = this.ids.get(id)
    const text = JSON.stringify(value)
    if (known !== undefined && known !== text) this.wrong.push(`id ${id} is ${known} and ${text}`)
    if (id !== `counting:${sequence}`) this.wrong.push(`result ${sequence} has the id ${id}`)
    if (known === undefined && [...this.ids.values()].includes(text)) this.wrong.push(`${text} has a second id ${id}`)
    if (known === undefined && sequence !== this.ids.size) this.wrong.push(`result ${sequence} comes when ${this.ids.size} are known`)
    this.ids.set(id, text)
    this.saw(value)
  }

  /** At the end every place up to the highest has been seen. */
  close(): void {
    for (const [key, highest] of this.highest.entries())
      for (let count = 1; count <= highest; count += 1)
        if (!this.atPlace.has(`${key}/${count}`)) this.wrong.push(`place ${key}/${count} was never seen, and ${highest} was`)
  }
}
