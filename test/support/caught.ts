import { expect } from 'vitest'
import type { Law, LawOptions } from '../../laws/law.js'

/** Expects one of several laws to find something wrong, and to say its name. */
export async function expectCaught(laws: readonly Law[], name: string, options: LawOptions = { seed: 1 }): Promise<void> {
  const law = laws.find((each) => each.name === name)
  if (law === undefined) throw new Error(`there is no law ${name}`)
  await expect(law.check(options)).rejects.toThrow(`The law ${name} does not hold`)
}
