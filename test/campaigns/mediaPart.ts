/** A part of what media do to what is stored: some formats, and a share of the hostile bytes. As a process of its own it reports to its parent. */
import { fileURLToPath } from 'node:url'
import { feedHostile } from '../simulation/hostileInputs.js'
import { damagedFormats } from '../simulation/mediaDamage.js'

export interface MediaOrders {
  readonly seed: number
  /** So many bits flip in each format. */
  readonly flips: number
  readonly hostile: number
  readonly part: number
  readonly parts: number
}

export interface MediaFound {
  readonly format: string
  readonly cases: number
  readonly noticed: number
  readonly hostile: number
  readonly wrong: readonly string[]
}

const referenceBytes = 16 * 1024

export async function damagePart({ seed, flips, hostile, part, parts }: MediaOrders, found: (found: MediaFound) => void): Promise<void> {
  for (const [index, [format, damage]] of Object.entries(damagedFormats).entries()) {
    if (index % parts !== part) continue
    const { cases, noticed, wrong } = await damage({ flips, seed, bytesMin: referenceBytes })
    found({ format, cases, noticed, hostile: 0, wrong })
  }
  const fed = await feedHostile({ seed: seed + part, runs: Math.ceil(hostile / parts) })
  found({ format: 'hostile bytes', cases: 0, noticed: 0, hostile: fed.runs, wrong: fed.wrong })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await damagePart(JSON.parse(process.argv[2] ?? '{}') as MediaOrders, (found) => void process.send?.(found))
  process.disconnect?.()
}
