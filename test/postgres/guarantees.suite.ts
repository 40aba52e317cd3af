import { describe, it } from 'vitest'
import { cellName, cells, hotCellName, hotCells, needsPostgres } from '../guarantees/cells.js'
import { checkCell, checkHotCell } from '../guarantees/checks.js'
import type { TestDatabase } from './database.js'

/** The cells with a server; test/law has the others. */
export function guaranteesSuite(database: () => TestDatabase): void {
  describe('what is guaranteed when processes die', () => {
    for (const cell of cells) if (needsPostgres(cell)) it(cellName(cell), () => checkCell(cell, database()))
    for (const cell of hotCells) if (cell.storage === 'postgres') it(hotCellName(cell), () => checkHotCell(cell, database()))
  })
}
