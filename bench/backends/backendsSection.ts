import { inChild } from '../inChild.js'
import { markdown, type Section } from '../section.js'
import type { Access } from './accesses.js'
import { type BackendName, backends } from './kept.js'
import type { BackendMeasurement, BackendRequest } from './measureBackend.js'
import { hasRaw, type RawMeasurement } from './rawWrites.js'

interface Case {
  readonly backend: BackendName
  readonly keys: number
  readonly access: Access
  /** What the process may have for its heap; plenty unless told. */
  readonly heapMb?: number
}

const everyBackend = (keys: number, access: Access, left: readonly BackendName[]): readonly Case[] =>
  backends.filter((backend) => !left.includes(backend)).map((backend) => ({ backend, keys, access }))

const casesOf = (quick: boolean, left: readonly BackendName[]): readonly Case[] =>
  quick
    ? [
        { backend: 'directory', keys: 10_000, access: 'uniform' },
        { backend: 'level rows', keys: 10_000, access: 'uniform' },
        { backend: 'lmdb', keys: 300_000, access: 'uniform', heapMb: 192 },
      ]
    : [
        ...[10_000, 1_000_000].flatMap((keys) => (['uniform', 'skewed'] as const).flatMap((access) => everyBackend(keys, access, left))),
        { backend: 'lmdb', keys: 20_000_000, access: 'uniform', heapMb: 512 },
        { backend: 'lmdb', keys: 20_000_000, access: 'skewed', heapMb: 512 },
      ]

const perSecond = (value: number): string => `${Math.round(value / 1_000)} k/s`
const kilobytes = (value: number | undefined): string => (value === undefined ? '' : `${Math.round(value / 1_000)} kB`)
const ratio = (value: number): number => Number(value.toPrecision(2))

/** The keyed mean with its state in each backend, beside what the driver takes for the same writes. */
export const backendsSection: Section = {
  name: 'backends',
  async run({ quick, progress, postgres = '' }) {
    const left: readonly BackendName[] = postgres === '' ? ['postgres'] : []
    if (left.length > 0) progress('backends: without Postgres; name a server with --postgres URL')
    const rows: string[][] = []
    const figures: unknown[] = []
    for (const { backend, keys, access, heapMb } of casesOf(quick, left)) {
      const recordsPerCheckpoint = Math.min(100_000, quick ? 20_000 : 100_000)
      const again = quick ? 100_000 : 1_000_000
      const request: BackendRequest = { backend, keys, again, access, recordsPerCheckpoint, connection: postgres }
      const measured = await inChild<BackendMeasurement>('backend', request, heapMb)
      const raw = hasRaw(backend) ? await inChild<RawMeasurement>('raw', request) : undefined
      progress(`${backend}, ${keys} keys, ${access}: ${JSON.stringify({ ...measured, raw })}`)
      const { come, again: cameAgain, changedBytes, writtenBytes, recoverMs, heapPeakMb } = measured
      rows.push([
        backend,
        keys.toLocaleString('en'),
        access,
        perSecond(come),
        perSecond(cameAgain),
        raw === undefined ? '' : `${ratio(come / raw.come)} / ${ratio(cameAgain / raw.again)}`,
        kilobytes(changedBytes),
        kilobytes(writtenBytes),
        recoverMs === undefined ? '' : `${recoverMs} ms`,
        `${heapPeakMb} MB${heapMb === undefined ? '' : ` of ${heapMb}`}`,
      ])
      figures.push({ backend, keys, access, ...measured, raw })
    }
    const title =
      'The keyed mean on each backend: every key comes once, then keys come at random; a checkpoint each ' +
      `${(quick ? 20_000 : 100_000).toLocaleString('en')} records, which wait for it. Over the driver: the driver alone, with the same rows in the same steps`
    const columns = ['backend', 'keys', 'access', 'new', 'again', 'over the driver', 'changed', 'written', 'recovery', 'peak of the heap']
    return { tables: [markdown(title, columns, rows)], figures }
  },
}
