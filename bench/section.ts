/** A part of the bench that is more than a list of variants. */
export interface Section {
  readonly name: string
  run(how: {
    readonly quick: boolean
    readonly rounds: number
    readonly progress: (line: string) => void
    /** Where a Postgres server is that may be measured. */
    readonly postgres?: string | undefined
  }): Promise<{ readonly tables: readonly string[]; readonly figures: unknown }>
}

/** A table in Markdown under a line of its own. */
export function markdown(title: string, columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map((column, index) => Math.max(column.length, ...rows.map((row) => (row[index] ?? '').length)))
  const lines = [columns, ...rows].map((row) => `| ${row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(' | ')} |`)
  lines.splice(1, 0, `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`)
  return [title, '', ...lines, ''].join('\n')
}
