import type { RememberedError } from './jobServerClient.js'
import { bytesText, textTable } from './textTable.js'
import type { TopFigures } from './topFigures.js'

/** The figures for people. What a server tells is shown without what a terminal takes for a command. */
export function topText(url: string, figures: TopFigures): string {
  const { job, state, runningMs, sources, operators, sinks, checkpoints, errors } = figures
  const { last } = checkpoints
  const parts = [`job ${job} at ${url}: ${state}, up for ${upText(runningMs)}\n`]
  parts.push(
    textTable(
      ['source', 'records', 'in/s', 'paused'],
      sources.map((each) => [each.uid, each.records, rate(each.perSecond), share(each.heldShare)]),
    ),
  )
  parts.push(
    textTable(
      ['operator', 'rows', 'watermark', 'lag', 'dropped'],
      operators.map(({ uid, rows, watermark, watermarkLagMs, dropped }) => [
        uid,
        rows,
        timeText(watermark),
        watermarkLagMs === undefined ? '' : seconds(watermarkLagMs),
        dropped,
      ]),
    ),
  )
  parts.push(
    textTable(
      ['sink', 'records', 'out/s', 'full', 'unconfirmed'],
      sinks.map((each) => [each.uid, each.records, rate(each.perSecond), share(each.heldShare), each.unconfirmedCommits]),
    ),
  )
  const counts = `checkpoints: ${checkpoints.completed} complete, ${checkpoints.failed} failed\n`
  if (last === undefined) parts.push(counts)
  else {
    const { barrierMs, encodeMs, preCommitMs, publishMs } = last.phases
    parts.push(
      `${counts}last: ${last.checkpointId}, ${last.rows.toLocaleString('en-US')} rows, ${bytesText(last.bytes)}, ${Math.round(last.durationMs)} ms (barrier ${ms(barrierMs)}, encode ${ms(encodeMs)}, pre-commit ${ms(preCommitMs)}, publish ${ms(publishMs)})\n`,
    )
  }
  if (errors.length > 0) parts.push(`last errors:\n${errors.map((error) => `  ${errorText(error)}\n`).join('')}`)
  return parts
    .filter((part) => part !== '')
    .join('\n')
    .replace(/[^\P{Cc}\n]/gu, '?')
}

/** What fits into so many columns and rows. */
export const fitted = (text: string, columns: number, rows: number): readonly string[] =>
  text
    .trimEnd()
    .split('\n')
    .slice(0, Math.max(1, rows))
    .map((line) => line.slice(0, Math.max(1, columns)))

const rate = (perSecond: number | undefined): string | number => (perSecond === undefined ? '' : Math.round(perSecond))
const share = (of: number): string => `${Math.round(of * 100)} %`
const ms = (time: number): string => time.toFixed(time < 10 ? 1 : 0)
/** The reason of an error of ours begins with its code. */
function errorText({ of, code, reason, checkpointId, uid }: RememberedError): string {
  const where = [of, ...(checkpointId === undefined ? [] : [checkpointId]), ...(uid === undefined ? [] : [`of ${uid}`])].join(' ')
  return `${where}: ${code === undefined || reason.startsWith(code) ? '' : `${code}: `}${reason.replace(/\s+/g, ' ')}`
}

function upText(timeMs: number): string {
  if (timeMs < 60_000) return seconds(timeMs)
  const minutes = Math.floor(timeMs / 60_000)
  const [days, hours] = [Math.floor(minutes / 1_440), Math.floor(minutes / 60) % 24]
  return `${days > 0 ? `${days} d ` : ''}${minutes >= 60 ? `${hours} h ` : ''}${minutes % 60} min`
}

const seconds = (time: number): string => `${(time / 1000).toFixed(1)} s`
const timeText = (watermark: number | string): string =>
  typeof watermark !== 'number' ? String(watermark) : Math.abs(watermark) > 8.64e15 ? String(watermark) : new Date(watermark).toISOString()
