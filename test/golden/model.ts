import { readFileSync } from 'node:fs'

/** One golden case: inputs of an operator, and what it owes. The vocabulary is that of the files; nothing here knows a case by its name. */
export interface Case {
  readonly id: string
  readonly feature: string
  readonly config: Fields
  readonly input: readonly Fields[]
  readonly expected: readonly Fields[]
  readonly order: string | undefined
}

/** A JSON object whose fields are looked at one by one. */
export interface Fields {
  readonly [name: string]: any
}

/** What the operator does not owe here, and why. */
export class Unsupported extends Error {}

/** The operator did something else than it owes. */
export class Mismatch extends Error {}

/** What nobody has taught the driver: an unknown feature, operation or function of a user. */
export class Unknown extends Unsupported {}
export const unknown = (what: string, found: unknown): Unknown => new Unknown(`unknown ${what}: ${text(found)}`)

/** An option that nobody has taught the driver would be passed over in silence otherwise. */
export function knownOptions({ config }: Case, names: readonly string[]): void {
  for (const name of Object.keys(config)) if (!names.includes(name)) throw unknown('option', name)
}

export const text = (value: unknown): string =>
  value === undefined
    ? 'nothing'
    : JSON.stringify(value, (_name, part) =>
        typeof part === 'bigint' ? `${part}n` : part === Infinity ? 'Infinity' : part === -Infinity ? '-Infinity' : part,
      )

/** Reads the cases of a file. */
export function readCases(path: string): Case[] {
  const file = JSON.parse(readFileSync(path, 'utf8')) as Fields
  return (file['cases'] as Fields[]).map((each) => ({
    id: String(each['id']),
    feature: String(each['feature'] ?? file['feature']),
    config: (each['config'] ?? {}) as Fields,
    input: (each['input'] ?? []) as Fields[],
    expected: (each['expected'] ?? []) as Fields[],
    order: each['order'] as string | undefined,
  }))
}

const longMax = 2n ** 63n - 1n
/** 64-bit times near the end of time stand as far from ours, as near as whole seconds allow, so that the borders of windows stay where they are. */
const shift = ((longMax - BigInt(Number.MAX_SAFE_INTEGER) + 999n) / 1_000n) * 1_000n

function long(bigint: string): number {
  const value = BigInt(bigint)
  if (value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value)
  const near = value > 0 ? value - shift : value + shift
  if (near < BigInt(Number.MIN_SAFE_INTEGER) || near > BigInt(Number.MAX_SAFE_INTEGER))
    throw new Unsupported('times are whole numbers up to 2^53, not 64 bits')
  return Number(near)
}

const isBigint = (value: unknown): value is { readonly bigint: string } =>
  typeof value === 'object' && value !== null && typeof (value as { bigint?: unknown }).bigint === 'string'

/** The event time of a record or of a timer: the ends of time are the largest and the smallest whole numbers. */
export function recordTime(ts: unknown): number | undefined {
  if (ts === undefined || ts === null) return undefined
  if (ts === 'MAX_LONG') return Number.MAX_SAFE_INTEGER
  if (ts === 'MIN_LONG') return Number.MIN_SAFE_INTEGER
  return isBigint(ts) ? long(ts.bigint) : (ts as number)
}

/** The time of a watermark: the end of time is infinite. */
export function watermarkTime(ts: unknown): number {
  if (ts === 'MAX_LONG') return Number.POSITIVE_INFINITY
  if (ts === 'MIN_LONG') return Number.NEGATIVE_INFINITY
  return isBigint(ts) ? long(ts.bigint) : (ts as number)
}

/** A value as a record carries it. */
export const plainValue = (value: unknown): unknown =>
  mapped(value, (part) => (part === 'MAX_LONG' || part === 'MIN_LONG' || isBigint(part) ? recordTime(part) : undefined))

/** One form for comparing: absence is null, and both ends of time have one name. */
export const normal = (value: unknown): unknown =>
  mapped(value, (part) => {
    if (part === undefined) return null
    if (part === Infinity || part === Number.MAX_SAFE_INTEGER) return 'MAX_LONG'
    if (part === -Infinity || part === Number.MIN_SAFE_INTEGER) return 'MIN_LONG'
    return isBigint(part) ? long(part.bigint) : undefined
  })

function mapped(value: unknown, replace: (part: unknown) => unknown): unknown {
  const replaced = replace(value)
  if (replaced !== undefined) return replaced
  if (Array.isArray(value)) return value.map((part) => mapped(part, replace))
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, mapped(part, replace)]))
  return value
}
