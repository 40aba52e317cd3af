/** Columns for people: names on top, numbers to the right. */
export function textTable(names: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  if (rows.length === 0) return ''
  const cells = [names, ...rows.map((row) => row.map(shown))]
  const widths = names.map((_name, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)))
  const isNumber = names.map((_name, column) => rows.every((row) => typeof row[column] === 'number' || row[column] === ''))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (isNumber[column] === true ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd()
  return `${cells.map(line).join('\n')}\n`
}

const shown = (cell: string | number): string => (typeof cell === 'number' ? cell.toLocaleString('en-US') : cell)

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** `1.5 MiB` */
export function bytesText(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}
