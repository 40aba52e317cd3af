import { appendFile, cp, readdir, readFile, truncate, unlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as t from 'io-ts'
import { firstValueFrom, from, toArray } from 'rxjs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { runCli } from '../../backends/directory/cli/cli.js'
import type { CliIo, Screen } from '../../backends/directory/cli/cliIo.js'
import type { Look } from '../../backends/directory/cli/jobServerClient.js'
import { TopWatch } from '../../backends/directory/cli/topFigures.js'
import { topText } from '../../backends/directory/cli/topText.js'
import { type DirectoryOptions, directory } from '../../backends/directory/index.js'
import { jobServer } from '../../backends/jobServer/index.js'
import { memorySink } from '../../backends/memory/memorySink.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import { memory } from '../../backends/memory/memoryStorage.js'
import type { Stream } from '../../lib/element.js'
import type { JobScope } from '../../lib/job.js'
import { newRows, readSavepoint, writeSavepoint } from '../../lib/processor/index.js'
import { valueState } from '../../lib/state/valueState.js'
import { checkpointed } from '../../operators/checkpointed.js'
import { keyBy } from '../../operators/keyBy.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { ran, settled, testJob, watched } from '../support/jobs.js'
import { encryption, sealingKey } from '../support/sealingKeys.js'
import { temporaryDirectory } from '../support/temporary.js'

interface Said {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Calls the command line in this process. */
async function rxweir(
  args: readonly string[],
  { input = [], isWatched = false, screen }: { readonly input?: readonly string[]; readonly isWatched?: boolean; readonly screen?: Screen } = {},
): Promise<Said> {
  let out = ''
  let err = ''
  let nowMs = 0
  const io: CliIo = {
    out: async (text) => {
      out += typeof text === 'string' ? text : Buffer.from(text).toString()
    },
    err: (text) => {
      err += text
    },
    async *lines() {
      yield* input
    },
    isWatched,
    // Every look at it is a second later.
    clock: {
      nowMs: () => (nowMs += 1_000),
      callAt(_atMs, work) {
        setImmediate(work)
        return () => undefined
      },
    },
    screen,
  }
  const code = await runCli(args, io)
  return { code, out, err }
}

const numbers = valueState(t.number)
const count = statefulMap('count', { state: t.number, initial: 0 }, (n, word: string) => [n + 1, `${word} ${n + 1}`])
const counting = (words: readonly string[], options: Parameters<typeof testJob>[1]) => {
  const out = memorySink<string>()
  const build = ({ source, sink }: JobScope) =>
    source('words', memorySource(words)).pipe(
      keyBy((word) => word),
      count,
      sink('out', out),
    )
  return { out, job: testJob(build, options).job }
}

/** A directory with the state of a job that has counted words. */
async function counted(words: readonly string[], name = 'state'): Promise<string> {
  const path = `${await temporaryDirectory()}/${name}`
  await ran(counting(words, { storage: directory(path) }).job)
  return path
}

const fileOf = async (path: string, kind: string): Promise<string> => {
  const names = (await readdir(`${path}/job`)).filter((name) => name.startsWith(kind)).sort()
  return `${path}/job/${names.at(-1)}`
}

describe('rxweir inspect', () => {
  test('shows jobs, checkpoints, operators, states, rows and offsets', async () => {
    const path = await counted(['a', 'b', 'a'])
    const { code, out, err } = await rxweir(['inspect', path])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/^job job: epoch 1, slot \d, \d files, /)
    expect(out).toMatch(/^words +3 +finished$/m)
    expect(out).toMatch(/^count +operator +rows +2 +2 +\d+ B$/m)
    expect(out).toMatch(/^out +sink$/m)
    expect(out).toMatch(/^out +1 +1$/m)
    expect((await rxweir(['inspect', `${path}/job`])).out).toBe(out)
    expect((await rxweir(['inspect', path, '--quick'])).out).toMatch(/^count +operator +rows$/m)
  })

  test('tells programs the same', async () => {
    const { out } = await rxweir(['inspect', await counted(['a', 'b', 'a']), '--json'])
    expect(JSON.parse(out)).toMatchObject([
      {
        job: 'job',
        files: { epoch: 1 },
        checkpoint: { checkpointId: 1, sources: [{ uid: 'words', offset: 3, finished: true }], transactions: [{ uid: 'out', checkpointId: 1 }] },
        tables: [{ uid: 'count', state: 'rows', rows: 2, writtenRows: 2 }],
      },
    ])
  })

  test('finds nothing where there is nothing', async () => {
    expect(await rxweir(['inspect', await temporaryDirectory()])).toMatchObject({ code: 1 })
    expect(await rxweir(['inspect', `${await temporaryDirectory()}/lost`])).toMatchObject({
      code: 2,
      err: expect.stringContaining('no such directory'),
    })
  })
})

describe('a directory that is sealed', () => {
  test('is read, verified and counted with the keys that --config names; without them it says which key is missing', async () => {
    const folder = await temporaryDirectory()
    const path = `${folder}/state`
    await ran(counting(['a', 'b', 'a'], { storage: directory(path, { encryption: encryption(1), compression: 'zlib' }) }).job)
    const keys = (numbers: string) => `{ encryption: { keys: { ${numbers} }, current: 'k1' } }`
    const listed = (key: Uint8Array) => keys(`k1: Uint8Array.from([${key.join()}])`)
    await writeFile(`${folder}/right.mjs`, `export const directoryOptions = ${listed(sealingKey(1))}\n`)
    await writeFile(`${folder}/wrong.mjs`, `export const directoryOptions = ${listed(sealingKey(2))}\n`)
    const right = ['--config', `${folder}/right.mjs`]
    expect((await rxweir(['inspect', path, ...right])).out).toMatch(/^count +operator +rows +2 +2 +\d+ B$/m)
    expect(await rxweir(['verify', path, ...right])).toMatchObject({ code: 0, out: expect.stringMatching(/^job job: fine /m) })
    expect(await rxweir(['get', path, 'count', 'rows', 'a', ...right])).toMatchObject({ code: 0, out: '{"key":"a","value":2}\n' })
    for (const command of [
      ['inspect', path],
      ['get', path, 'count', 'rows', 'a'],
      ['verify', path],
    ]) {
      const without = await rxweir(command)
      expect(without.code).toBe(1)
      expect(without.out + without.err).toMatch(/KEY_MISSING.*k1/s)
      expect(without.out).not.toContain('fine')
      const wrong = await rxweir([...command, '--config', `${folder}/wrong.mjs`])
      expect(wrong.code).toBe(1)
      expect(wrong.out + wrong.err).toContain('KEY_WRONG')
    }
  })
})

describe('rxweir verify', () => {
  test('says what is read, and that it is fine', async () => {
    const path = await counted(['a', 'b', 'a'])
    const said = await rxweir(['verify', path])
    expect(said).toMatchObject({ code: 0, err: '' })
    expect(said.out).toMatch(/^job job: fine \(1 checkpoints; \d files, .*, 2 rows as written\)$/m)
  })

  test.each([
    ['a flipped bit', 'segment', async (file: string) => flip(file), 'the digest differs'],
    ['a shorter file', 'segment', async (file: string) => truncate(file, 40), 'it has 40 bytes instead of'],
    ['a missing file', 'segment', async (file: string) => unlink(file), 'the file is missing'],
    ['a damaged manifest', 'manifest', async (file: string) => flip(file), 'the digest differs'],
  ])('finds %s', async (_name, kind, damage, reason) => {
    const path = await counted(['a', 'b', 'a'])
    const file = await fileOf(path, kind)
    await damage(file)
    const said = await rxweir(['verify', path])
    expect(said.code).toBe(1)
    expect(said.out).toContain('DAMAGED')
    expect(said.out).toContain(reason)
    expect(JSON.parse((await rxweir(['verify', path, '--json'])).out)[0].damage).toMatchObject([
      { file: file.split('/').at(-1), code: 'SNAPSHOT_CORRUPT' },
    ])
  })

  test('tells what nobody needs, which is a finding only where that is asked for', async () => {
    const path = await counted(['a'])
    await writeFile(`${path}/job/segment-00000001-000000000001-000009-00000000`, 'left behind')
    await writeFile(`${path}/job/temporary-00000001-00000000`, 'left behind')
    await writeFile(`${path}/job/notes.txt`, 'mine')
    const said = await rxweir(['verify', path])
    expect(said.code).toBe(0)
    expect(said.out).toMatch(/^segment-\S+9-0+ +no checkpoint names it/m)
    expect(said.out).toMatch(/^temporary-\S+ +a manifest that was never published/m)
    expect(said.out).toMatch(/^notes.txt +it is none of ours/m)
    expect(await rxweir(['verify', path, '--strict'])).toMatchObject({ code: 1 })
  })

  test('reads the journal, too', async () => {
    const path = `${await temporaryDirectory()}/state`
    const pipeline = checkpointed('job', { storage: directory(path), journal: true, atEnd: 'suspend' }, (words: Stream<string>) =>
      words.pipe(
        keyBy((word) => word),
        count,
      ),
    )
    expect(await firstValueFrom(from(['a', 'b']).pipe(pipeline, toArray()))).toEqual(['a 1', 'b 1'])
    expect(await rxweir(['verify', path])).toMatchObject({ code: 0 })
    const [entries] = await readdir(`${path}/job/journal`)
    await flip(`${path}/job/journal/${entries}`, 3)
    const said = await rxweir(['verify', path])
    expect(said.code).toBe(1)
    expect(said.out).toContain(`journal/${entries}`)
  })

  test('shows how far it is to whoever watches', async () => {
    const path = await counted(['a', 'b'])
    expect((await rxweir(['verify', path], { isWatched: true })).err).toMatch(/verify job: \d+ B of \d+ B \(\d+ %\), /)
  })
})

/** Another byte in the place of one in the middle. */
async function flip(file: string, at?: number): Promise<void> {
  const bytes = await readFile(file)
  const index = at ?? Math.floor(bytes.length / 2)
  bytes[index] = (bytes[index] as number) ^ 1
  await writeFile(file, bytes)
}

describe('rxweir keys and get', () => {
  test('show keys and rows, one a line', async () => {
    const path = await counted(['a', 'b', 'a'])
    expect((await rxweir(['keys', path, 'count', 'rows'])).out.split('\n').sort()).toEqual(['', '"a"', '"b"'])
    expect(await rxweir(['get', path, 'count', 'rows', 'a'])).toEqual({ code: 0, out: '{"key":"a","value":2}\n', err: '' })
    expect((await rxweir(['get', path, 'count', 'rows'])).out.trim().split('\n')).toHaveLength(2)
    expect(await rxweir(['get', path, 'count', 'rows', 'c'])).toMatchObject({ code: 1, out: '' })
  })

  test('read keys as JSON, and what is no JSON as it is', async () => {
    const path = await temporaryDirectory()
    const when = new Date(5)
    const rows = [
      { key: 7, value: 1 },
      { key: '7', value: 2 },
      { key: when, value: 3 },
      { key: ['a', 1n], value: 4 },
    ]
    await writeSavepoint(directory(path), 'job', { states: [newRows('op', 'of', numbers, rows)] })
    const value = async (key: string) => JSON.parse((await rxweir(['get', path, 'op', 'of', key])).out).value
    expect([await value('7'), await value('"7"'), await value('{"$date":5}'), await value('["a",{"$bigint":"1"}]')]).toEqual([1, 2, 3, 4])
    expect(await rxweir(['get', path, 'op', 'of', '{"a":1}'])).toMatchObject({ code: 2 })
  })

  test('name what there is where something is not', async () => {
    const path = await counted(['a'])
    const said = await rxweir(['keys', path, 'count', 'lost'])
    expect(said).toMatchObject({ code: 1, out: '' })
    expect(said.err).toContain('STATE_MISSING')
    expect(said.err).toContain('count/rows')
    expect(said.err).toContain('hint:')
    expect(JSON.parse((await rxweir(['keys', path, 'count', 'lost', '--json'])).err)).toMatchObject({ error: { code: 'STATE_MISSING' } })
  })
})

describe('rxweir diff', () => {
  test('shows rows and what stands beside them', async () => {
    const [first, second] = [await counted(['a', 'b', 'a']), await counted(['a', 'c'])]
    const said = await rxweir(['diff', first, second])
    expect(said.code).toBe(1)
    expect(said.out.trim().split('\n').sort()).toEqual([
      '+ count/rows "c" 1',
      '- count/rows "b" 1',
      '~ count/rows "a" 2 -> 1',
      '~ source words {"uid":"words","offset":3,"finished":true} -> {"uid":"words","offset":2,"finished":true}',
    ])
    const lines = (await rxweir(['diff', first, second, '--json'])).out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
    expect(lines).toContainEqual({ uid: 'count', state: 'rows', key: 'a', before: 2, after: 1 })
    expect(await rxweir(['diff', first, first])).toEqual({ code: 0, out: '', err: '' })
  })
})

describe('rxweir export and import', () => {
  test('move a savepoint through lines of text that others may change', async () => {
    const path = await counted(['a', 'b', 'a'])
    const exported = await rxweir(['export', path])
    expect(exported).toMatchObject({ code: 0, err: '' })
    const lines = exported.out.trim().split('\n')
    expect(lines.slice(1).sort()).toEqual([
      '{"uid":"count","state":"rows","key":"a","value":2,"version":1}',
      '{"uid":"count","state":"rows","key":"b","value":1,"version":1}',
    ])
    const copy = `${await temporaryDirectory()}/copy`
    const imported = await rxweir(['import', copy], { input: lines })
    expect(imported).toEqual({ code: 0, out: `${copy}: checkpoint 1, 2 rows written\n`, err: '' })
    expect(await rxweir(['diff', path, copy])).toMatchObject({ code: 0 })
    expect(await rxweir(['verify', copy])).toMatchObject({ code: 0 })
    const other = `${await temporaryDirectory()}/other`
    expect(
      await rxweir(['import', other, '--job', 'renamed'], { input: lines.map((line) => line.replace('"value":2', '"value":20')) }),
    ).toMatchObject({ code: 0 })
    expect((await rxweir(['get', other, 'count', 'rows', 'a'])).out).toBe('{"key":"a","value":20}\n')
  })

  test('refuse lines that are none, and an empty input', async () => {
    const path = `${await temporaryDirectory()}/copy`
    expect(await rxweir(['import', path], { input: ['nonsense'] })).toMatchObject({ code: 1, err: expect.stringContaining('line: 1') })
    expect(await rxweir(['import', path])).toMatchObject({ code: 1, err: expect.stringContaining('SAVEPOINT_MISSING') })
  })
})

describe('long work', () => {
  test('shows how far it is to whoever watches, and takes that away before it says something else', async () => {
    const [path, other] = [await counted(['a', 'b', 'a']), await counted(['a'])]
    const root = await temporaryDirectory()
    const commands = [
      ['keys', path, 'count', 'rows'],
      ['get', path, 'count', 'rows'],
      ['diff', path, other],
      ['export', path],
      ['savepoint', path, `${root}/copy`, '--settled'],
      ['rescale', `${root}/copy`, '--to', `${root}/two`, '--instances', '2'],
    ]
    for (const command of commands) {
      const { err } = await rxweir(command, { isWatched: true })
      const clear = '\\r\\u001b\\[2K'
      expect(err, command[0]).toMatch(new RegExp(`^(?:${clear}${command[0]}: \\d+ B, \\d+ B/s)+${clear}(?:note: .*\n)?$`))
    }
  })
})

describe('rxweir compact', () => {
  /** Two checkpoints, of two runs. */
  const twice = async (options: DirectoryOptions = {}): Promise<string> => {
    const path = `${await temporaryDirectory()}/state`
    const out = memorySink<string>()
    const run = async (words: readonly string[]) => {
      const input = memorySource(words, { bounded: false })
      const build = ({ source, sink }: JobScope) =>
        source('words', input).pipe(
          keyBy((word) => word),
          count,
          sink('out', out),
        )
      const running = watched(testJob(build, { storage: directory(path, options) }).job)
      await settled()
      await running.checkpoint()
      await running.stop()
    }
    await run(['a', 'b', 'a'])
    await run(['a', 'b', 'a', 'c'])
    return path
  }

  test('merges in place what later checkpoints have written over, and keeps or gives up the older ones', async () => {
    const path = await twice()
    const rows = (await rxweir(['get', path, 'count', 'rows'])).out
    const { checkpoint } = JSON.parse((await rxweir(['inspect', path, '--json'])).out)[0]
    const said = await rxweir(['compact', path], { isWatched: true })
    expect(said).toMatchObject({ code: 0, err: expect.stringMatching(/compact: .* of .* %/) })
    expect(said.out).toMatch(/^job job, checkpoint \d+: \d segments became 1, .* rows as written 3, .*B .*B\nolder, and as they were: checkpoint /)
    expect(await rxweir(['verify', path, '--strict'])).toMatchObject({ code: 0 })
    const { dropped } = JSON.parse((await rxweir(['compact', path, 'job', '--newest', '--json'])).out)
    expect(dropped).toHaveLength(1)
    expect((await rxweir(['get', path, 'count', 'rows'])).out.split('\n').sort()).toEqual(rows.split('\n').sort())
    expect(JSON.parse((await rxweir(['inspect', path, '--json'])).out)[0].checkpoint).toEqual(checkpoint)
    expect(await rxweir(['compact', path, 'other'])).toMatchObject({ code: 1, err: expect.stringContaining('SAVEPOINT_MISSING') })
  })

  test('writes nothing where a job runs, or has not said that it ended', async () => {
    const path = await counted(['a'])
    const names = (await readdir(`${path}/job`)).filter((name) => !name.startsWith('released-')).sort()
    for (const name of await readdir(`${path}/job`)) if (name.startsWith('released-')) await unlink(`${path}/job/${name}`)
    const said = await rxweir(['compact', path])
    expect(said).toMatchObject({ code: 1, out: '', err: expect.stringContaining('BACKEND_IN_USE') })
    expect(said.err).toContain('--stopped')
    expect((await readdir(`${path}/job`)).sort()).toEqual(names)
    expect(await rxweir(['compact', path, '--stopped'])).toMatchObject({ code: 0 })
  })
})

describe('rxweir top', () => {
  const token = '0123456789abcdef'

  /** A job that has counted three words, with a checkpoint, and its server. */
  async function served() {
    const input = memorySource(['a', 'b', 'a'], { bounded: false })
    const build = ({ source, sink }: JobScope) =>
      source('words', input).pipe(
        keyBy((word) => word),
        count,
        sink('out', memorySink<string>()),
      )
    const run = watched(testJob(build).job)
    await settled()
    await run.checkpoint()
    const server = await jobServer(run, { token })
    onTestFinished(async () => {
      await server.close()
      run.cancel()
    })
    return { url: server.url, input }
  }

  test('shows where sources, operators, sinks and checkpoints stand', async () => {
    const { url } = await served()
    const { code, out, err } = await rxweir(['top', url, '--token', token, '--once'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/^job job at http.*: running, up for 0.0 s$/m)
    expect(out).toMatch(/^words +3 +0 %$/m)
    expect(out).toMatch(/^count +2 +-Infinity +0$/m)
    expect(out).toMatch(/^out +3 +0 % +0$/m)
    expect(out).toMatch(/^last: 1, 2 rows, .* ms \(barrier .*, encode .*, pre-commit .*, publish .*\)$/m)
    expect(JSON.parse((await rxweir(['top', url, '--token', token, '--once', '--json'])).out)).toMatchObject({
      state: 'running',
      sources: [{ uid: 'words', records: 3, heldShare: 0 }],
      operators: [{ uid: 'count', rows: 2 }],
    })
  })

  test('draws it over and over, in what room there is, until the user ends it', async () => {
    const { url } = await served()
    let end = (): void => undefined
    let released = 0
    let looks = 0
    const screen: Screen = {
      size() {
        looks += 1
        if (looks === 3) end()
        return { columns: 20, rows: 3 }
      },
      onEnd(ended) {
        end = ended
        return () => void (released += 1)
      },
    }
    const { code, out } = await rxweir(['top', url, '--token', token], { screen })
    expect({ code, looks, released }).toEqual({ code: 0, looks: 3, released: 1 })
    expect([out.startsWith('\u001b[?1049h\u001b[?25l'), out.endsWith('\u001b[?25h\u001b[?1049l')]).toEqual([true, true])
    const drawn = out.split('\u001b[H').slice(1)
    expect(drawn).toHaveLength(3)
    expect(drawn[0]?.split('\r\n').map((line) => line.split('\u001b')[0]?.length)).toEqual([20, 0, 20])
  })

  test('says what is wrong: nobody there, another token, no job server', async () => {
    const { url } = await served()
    expect(await rxweir(['top', url])).toMatchObject({ code: 2 })
    expect(await rxweir(['top', 'nowhere', '--token', token])).toMatchObject({ code: 2 })
    expect(await rxweir(['top', url, '--token', 'another'])).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/JOB_SERVER_REFUSED.*hint: /s),
    })
    const other = createServer((_request, response) => response.end('hello'))
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const place = `http://127.0.0.1:${(other.address() as AddressInfo).port}`
    expect(await rxweir(['top', place, '--token', token])).toMatchObject({ code: 1, err: expect.stringContaining('JOB_SERVER_OTHER') })
    other.closeAllConnections()
    await new Promise((resolve) => other.close(resolve))
    expect(await rxweir(['top', place, '--token', token])).toMatchObject({ code: 1, err: expect.stringContaining('JOB_SERVER_AWAY') })
  })

  test('tells how many records pass in a second, and for what part of it a source is held up', () => {
    const watch = new TopWatch()
    const look = (atMs: number, records: number, pausedMs: number, runningMs = atMs + 1_000): Look => ({
      atMs,
      metrics: {
        job: 'job',
        runningMs,
        sources: [{ uid: 'in', records, finished: false, paused: false, pausedMs }],
        operators: [],
        sinks: [],
        checkpoints: { completed: 0, failed: 0, last: undefined },
      },
      errors: [],
    })
    expect(watch.take(look(0, 10, 250)).sources).toEqual([{ uid: 'in', records: 10, perSecond: undefined, heldShare: 0.25 }])
    expect(watch.take(look(500, 60, 500)).sources).toEqual([{ uid: 'in', records: 60, perSecond: 100, heldShare: 0.5 }])
    // It has begun anew.
    expect(watch.take(look(1_000, 65, 100, 400)).sources).toEqual([{ uid: 'in', records: 65, perSecond: undefined, heldShare: 0.25 }])
  })

  test('shows nothing that a terminal would take for a command', () => {
    const figures = new TopWatch().take({
      atMs: 0,
      metrics: {
        job: 'job',
        runningMs: 90_061_000,
        sources: [],
        operators: [],
        sinks: [],
        checkpoints: { completed: 0, failed: 1, last: undefined },
      },
      errors: [{ of: 'checkpoint', checkpointId: 1, code: 'CHECKPOINT_TIMED_OUT', reason: '\u001b[2Jgone\u009b' }],
    })
    expect(topText('here', figures)).toContain('job job at here: running, up for 1 d 1 h 1 min\n')
    expect(topText('here', figures)).toContain('last errors:\n  checkpoint 1: CHECKPOINT_TIMED_OUT: ?[2Jgone?\n')
  })
})

describe('rxweir savepoint and rescale', () => {
  test('copy a checkpoint to where a job begins with it', async () => {
    const path = await counted(['a', 'b', 'a'])
    const copy = `${await temporaryDirectory()}/copy`
    expect(await rxweir(['savepoint', path, copy, '--as', 'again', '--compact', '--settled', '--json'])).toMatchObject({
      code: 0,
      out: `${JSON.stringify([{ place: copy, checkpointId: 1, rows: 2 }])}\n`,
    })
    const reader = await readSavepoint(directory(copy), 'again')
    expect(reader).toMatchObject({ sources: [{ uid: 'words', offset: 3, finished: true }], transactions: [] })
    const next = counting(['a'], { storage: memory(), restore: { from: directory(copy), fromJob: 'again' } })
    await ran(next.job)
    // The source had ended.
    expect(next.out.committed).toEqual([])
  })

  test('rename and leave out', async () => {
    const path = await counted(['a'])
    const copy = `${await temporaryDirectory()}/copy`
    const args = ['savepoint', path, copy, '--rename', 'count=total', '--without', 'out']
    expect(await rxweir(args)).toMatchObject({ code: 1, err: expect.stringContaining('TRANSACTIONS_PENDING') })
    expect(await rxweir([...args, '--settled'])).toMatchObject({ code: 0, err: '' })
    expect((await rxweir(['get', copy, 'total', 'rows'])).out).toBe('{"key":"a","value":1}\n')
    expect(await rxweir(['savepoint', path, `${copy}2`, '--rename', 'count'])).toMatchObject({ code: 2 })
    expect(await rxweir(['savepoint', path, `${copy}3`, '--without', 'lost'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('STATE_MISSING'),
    })
  })

  test('write to nothing that has something in it, and change nothing of what they read', async () => {
    const path = await counted(['a'])
    const before = await contents(path)
    const running = await temporaryDirectory()
    await cp(path, running, { recursive: true })
    for (const args of [
      ['savepoint', path, running],
      ['savepoint', path, path],
      ['import', running],
      ['rescale', path, '--to', path, '--instances', '2'],
    ]) {
      const said = await rxweir(args, { input: ['{}'] })
      if (args[0] === 'rescale') continue
      expect(said, args.join(' ')).toMatchObject({ code: 1, err: expect.stringContaining('SAVEPOINT_EXISTS') })
    }
    expect(await contents(running)).toEqual(before)
    for (const args of [['inspect'], ['verify'], ['export'], ['keys', 'count', 'rows']]) await rxweir([args[0] as string, path, ...args.slice(1)])
    expect((await contents(path)).filter((line) => line.startsWith('job/'))).toEqual(before)
  })

  test('make of the savepoints of three instances those of two', async () => {
    const words = ['to', 'be', 'or', 'not', 'to', 'be', 'that', 'is', 'the', 'question', 'to', 'die', 'to', 'sleep']
    const root = await temporaryDirectory()
    const committed: string[] = []
    const run = async (index: number, of: number, at: number, options: object) => {
      const { job, out } = counting(words, { storage: memory(), instance: { index, of }, ...options })
      if (at < words.length) await watched(job).stop({ savepoint: directory(`${root}/old${index}`), at: (_uid, offset) => (offset as number) >= at })
      else await ran(job)
      committed.push(...out.committed)
    }
    for (const index of [0, 1, 2]) await run(index, 3, 6, {})
    const old = [0, 1, 2].map((index) => `${root}/old${index}`)
    expect(await rxweir(['rescale', ...old, '--to', `${root}/new`, '--instances', '2'])).toMatchObject({ code: 0, err: '' })
    for (const index of [0, 1]) await run(index, 2, words.length, { restore: { from: directory(`${root}/new/${index}`) } })
    const alone = counting(words, { storage: memory() })
    await ran(alone.job)
    expect(committed.sort()).toEqual([...alone.out.committed].sort())
    expect(await rxweir(['rescale', ...old.slice(1), '--to', `${root}/less`, '--instances', '2'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('SAVEPOINT_INCOMPLETE'),
    })
    expect(await rxweir(['rescale', ...old, '--to', `${root}/less`])).toMatchObject({ code: 2 })
  })
})

const contents = async (path: string): Promise<readonly string[]> => {
  const names = (await readdir(path, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  const lines = await Promise.all(
    names.map(
      async ({ name, parentPath }) => `${parentPath.slice(path.length + 1)}/${name} ${(await readFile(`${parentPath}/${name}`)).toString('base64')}`,
    ),
  )
  return lines.sort()
}

describe('the command line', () => {
  test('tells how it is called', async () => {
    expect(await rxweir(['help'])).toMatchObject({ code: 0, out: expect.stringContaining('inspect DIR') })
    expect(await rxweir([])).toMatchObject({ code: 2 })
    expect(await rxweir(['lost'])).toMatchObject({ code: 2, err: expect.stringContaining('there is no command lost') })
    expect(await rxweir(['get', '--help'])).toMatchObject({ code: 0, out: expect.stringContaining('--checkpoint N') })
    for (const args of [
      ['get'],
      ['inspect', 'a', 'b'],
      ['inspect', 'a', '--lost'],
      ['get', await counted(['a']), 'count', 'rows', '--checkpoint', 'x'],
    ])
      expect(await rxweir(args), args.join(' ')).toMatchObject({ code: 2 })
  })

  test('asks which job, and which checkpoint there is', async () => {
    const path = await counted(['a'])
    await cp(`${path}/job`, `${path}/other`, { recursive: true })
    expect(await rxweir(['keys', path, 'count', 'rows'])).toMatchObject({ code: 2, err: expect.stringContaining('--job (job, other)') })
    expect(await rxweir(['keys', path, 'count', 'rows', '--job', 'job'])).toMatchObject({ code: 0 })
    expect(await rxweir(['keys', path, 'count', 'rows', '--job', 'other'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('BACKEND_NOT_OWNED'),
    })
    expect(await rxweir(['keys', path, 'count', 'rows', '--job', 'job', '--checkpoint', '9'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('CHECKPOINT_MISSING'),
    })
  })

  test('opens other storages by a module', async () => {
    const folder = await temporaryDirectory()
    const path = await counted(['a'])
    await appendFile(`${folder}/config.mjs`, `export const storage = (place) => (place === 'elsewhere' ? globalThis.elsewhere : undefined)\n`)
    ;(globalThis as { elsewhere?: unknown }).elsewhere = directory(path)
    const config = ['--config', `${folder}/config.mjs`]
    expect(await rxweir(['get', 'elsewhere', 'count', 'rows', '--job', 'job', ...config])).toMatchObject({ code: 0, out: '{"key":"a","value":1}\n' })
    expect(await rxweir(['get', path, 'count', 'rows', ...config])).toMatchObject({ code: 0 })
    expect(await rxweir(['get', 'elsewhere', 'count', 'rows', ...config])).toMatchObject({ code: 2 })
    expect(await rxweir(['get', path, 'count', 'rows', '--config', `${folder}/lost.mjs`])).toMatchObject({ code: 2 })
  })
})
