import { describe, it } from 'vitest'
import { cellName, cells, hotCellName, hotCells, needsPostgres } from '../guarantees/cells.js'
import { checkCell, checkHotCell } from '../guarantees/checks.js'

// Those with a server are in test/postgres.
describe.concurrent('what is guaranteed when processes die', () => {
  for (const cell of cells) if (!needsPostgres(cell)) it(cellName(cell), () => checkCell(cell))
  for (const cell of hotCells) if (cell.storage !== 'postgres') it(hotCellName(cell), () => checkHotCell(cell))
})
