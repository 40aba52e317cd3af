import type { Key } from '../key.js'
import type { RowTable } from '../state/rowTable.js'
import type { Contents } from './contents.js'
import type { Fold } from './fold.js'
import type { TimeWindow } from './timeWindow.js'

/** Windows that hold one accumulator each. */
export class FoldedContents<T, A, M> implements Contents<T> {
  constructor(
    private readonly table: RowTable<A>,
    private readonly fold: Fold<T, A, M>,
    private readonly showFigure: (figure: M, key: Key, window: TimeWindow) => void,
  ) {}

  add(key: Key, name: Key, value: T): void {
    const row = this.table.find(key, name)
    if (row === undefined) this.table.create(key, name, this.fold.first(value))
    else this.table.write(row, this.fold.add(row.value, value))
  }

  show(key: Key, name: Key, window: TimeWindow): void {
    const row = this.table.find(key, name)
    if (row !== undefined) this.showFigure(this.fold.result(row.value), key, window)
  }

  clear(key: Key, name: Key): void {
    const row = this.table.find(key, name)
    if (row !== undefined) this.table.remove(row)
  }

  merge(key: Key, target: Key, sources: readonly Key[]): void {
    for (const source of sources) {
      const from = this.table.find(key, source)
      if (from === undefined) continue
      this.table.remove(from)
      const into = this.table.find(key, target)
      if (into === undefined) this.table.create(key, target, from.value)
      else this.table.write(into, (this.fold.merge as (a: A, b: A) => A)(into.value, from.value))
    }
  }
}
