/**
 * What happens to media: bits flip, files become shorter, sectors vanish or change places, bytes that nobody wrote appear, an older file is
 * put back, one file holds what belongs to another.
 */
import { type Chance, chance } from '../../laws/crashFsChoices.js'
import { RxweirError } from '../../lib/errors.js'

export interface DamageVerdict {
  cases: number
  /** How many of them were single bits. */
  flips: number
  /** Answered with a code. */
  noticed: number
  /** Nothing was different. */
  harmless: number
  readonly wrong: string[]
}

export const noDamage = (): DamageVerdict => ({ cases: 0, flips: 0, noticed: 0, harmless: 0, wrong: [] })

/** What was written, and how it reads when a part of it is another. */
export interface Reference {
  /** Files, or the values of keys, by their names. */
  readonly contents: ReadonlyMap<string, Uint8Array>
  /** The same at an earlier moment. */
  readonly older: ReadonlyMap<string, Uint8Array>
  /** What cannot go unnoticed. */
  needed?(path: string): boolean
  /** Reads all of it, with other bytes under one name, or nothing there; what it finds is compared with what is found undamaged. */
  read(path: string, instead: Uint8Array | undefined, what: string): Promise<'the same' | string>
}

export interface DamageOptions {
  /** Every so-manieth bit flips, and every so-manieth length is cut to. */
  readonly bitStep?: number
  /** Instead of a step: about so many bits of all flip, and about so many lengths are cut to. */
  readonly flips?: number
  /** How large the reference is at least. */
  readonly bytesMin?: number
  readonly sectorBytes?: number
  readonly seed?: number
}

/** Random bytes appear at so many places of each file, in it and behind its end. */
const strayBytes = 40
/** With what other files hold each is tried so often at most. */
const othersMax = 12

function* damagesOf(
  path: string,
  bytes: Uint8Array,
  { contents, older, needed }: Reference,
  { bitStep = 1, lengthStep = bitStep, first = 0, sectorBytes = 64 }: DamageOptions & { readonly lengthStep?: number; readonly first?: number },
  random: Chance,
): Generator<readonly [what: string, instead: Uint8Array | undefined]> {
  for (let bit = first; bit < bytes.length * 8; bit += bitStep) {
    const damaged = bytes.slice()
    damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7))
    yield [`bit ${bit} flipped`, damaged]
  }
  for (let length = 0; length < bytes.length; length += lengthStep) yield [`cut to ${length}`, bytes.slice(0, length)]
  yield ['a byte more', Uint8Array.of(...bytes, 0)]
  for (let stray = 0; stray < strayBytes; stray += 1) {
    const at = stray % 2 === 0 ? bytes.length : Math.floor(random() * bytes.length)
    const more = Uint8Array.from({ length: 1 + Math.floor(random() * 3 * sectorBytes) }, () => Math.floor(random() * 256))
    yield [`${more.length} bytes more at ${at}`, Uint8Array.of(...bytes.subarray(0, at), ...more, ...bytes.subarray(at))]
  }
  const sectors = Math.ceil(bytes.length / sectorBytes)
  const sector = (index: number): Uint8Array => bytes.subarray(index * sectorBytes, (index + 1) * sectorBytes)
  for (let one = 0; one < sectors; one += 1) {
    const zeroed = bytes.slice()
    zeroed.fill(0, one * sectorBytes, (one + 1) * sectorBytes)
    yield [`sector ${one} zeroed`, zeroed]
    for (let other = one + 1; other < sectors; other += 1) {
      if (sector(other).length !== sectorBytes) continue
      const swapped = bytes.slice()
      swapped.set(sector(other), one * sectorBytes)
      swapped.set(sector(one), other * sectorBytes)
      yield [`sectors ${one} and ${other} swapped`, swapped]
    }
  }
  const others = [...contents].filter(([name]) => name !== path)
  const chosen = others.length <= othersMax ? others : others.filter(() => random() * others.length < othersMax)
  for (const [name, instead] of chosen) yield [`with what ${name} holds`, instead]
  const before = older.get(path)
  if (before !== undefined) yield ['as it was before', before]
  if (needed?.(path) === true) yield ['gone', undefined]
}

/** Damages each part in each way, and reads. */
export async function damaged(reference: Reference, options: DamageOptions): Promise<DamageVerdict> {
  const verdict = noDamage()
  const random = chance(options.seed ?? 1)
  const total = [...reference.contents.values()].reduce((sum, { length }) => sum + length, 0)
  const { flips } = options
  const steps =
    flips === undefined
      ? {}
      : { bitStep: Math.max(1, Math.floor((total * 8) / flips)), lengthStep: Math.max(1, Math.floor(total / flips)), sectorBytes: 512 }
  for (const [path, bytes] of reference.contents) {
    const first = flips === undefined ? 0 : Math.floor(random() * Math.min(steps.bitStep ?? 1, bytes.length * 8))
    for (const [what, instead] of damagesOf(path, bytes, reference, { first, ...steps, ...options }, random)) {
      if (instead !== undefined && Buffer.compare(instead, bytes) === 0) continue
      verdict.cases += 1
      if (what.startsWith('bit ')) verdict.flips += 1
      try {
        const found = await reference.read(path, instead, what)
        if (found === 'the same') verdict.harmless += 1
        else verdict.wrong.push(`${path} ${what}: ${found}`)
      } catch (error) {
        if (error instanceof RxweirError) verdict.noticed += 1
        else verdict.wrong.push(`${path} ${what}: ${String((error as Error).stack ?? error)}`)
      }
    }
  }
  return verdict
}
