import { existsSync, readFileSync, writeFileSync } from 'node:fs'

/**
 * What a release has written, as `recorded/<name>.json` has it.
 *
 * With `RXWEIR_RECORD=1` a record that is missing is made of what is written today. One that is there is never changed: a format that
 * changes gets a record beside it.
 */
export async function recorded<A>(name: string, write: () => A | Promise<A>): Promise<A> {
  const file = new URL(`recorded/${name}.json`, import.meta.url)
  if (!existsSync(file)) {
    if (process.env['RXWEIR_RECORD'] !== '1') throw new Error(`There is no record of ${name}: make one with RXWEIR_RECORD=1`)
    writeFileSync(file, `${JSON.stringify(await write(), null, 2)}\n`)
  }
  return JSON.parse(readFileSync(file, 'utf8')) as A
}
