/** The clicks that several of these programs read: who looked at which page, and when. */
import * as t from 'io-ts'
import { assignTimestamps, monotonousTimestamps } from 'rxweir'

export const Click = t.type({ user: t.string, url: t.string, timestamp: t.number })
export type Click = t.TypeOf<typeof Click>

/** Event time is that of the clicks, and they come in its order: Flink's `forMonotonousTimestamps`. */
export const inClickTime = assignTimestamps({ timestamp: (click: Click) => click.timestamp, watermarks: monotonousTimestamps() })

/** A moment as the programs print it. */
export const shown = (timestamp: number): string => new Date(timestamp).toISOString()

const start = Date.UTC(2022, 8, 22, 9)
const pages = [
  ['Mary', './home'],
  ['Bob', './cart'],
  ['Alice', './prod?id=100'],
  ['Mary', './cart'],
  ['Bob', './prod?id=1'],
  ['Mary', './home'],
  ['Alice', './home'],
  ['Mary', './prod?id=100'],
  ['Cary', './home'],
  ['Bob', './home'],
  ['Mary', './cart'],
  ['Alice', './cart'],
  ['Bob', './prod?id=2'],
  ['Bob', './cart'],
  ['Mary', './home'],
  ['Alice', './prod?id=200'],
  ['Cary', './cart'],
  ['Bob', './home'],
  ['Alice', './home'],
  ['Mary', './prod?id=1'],
  ['Alice', './cart'],
  ['Mary', './home'],
  ['Bob', './home'],
  ['Cary', './home'],
  ['Mary', './cart'],
] as const

/** One click a second. */
export const clicks: readonly Click[] = pages.map(([user, url], second) => ({ user, url, timestamp: start + 1_000 * second }))
