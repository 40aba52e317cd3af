import { json } from '../../lib/codec.js'
import type { StateDescriptors } from '../../lib/state/descriptor.js'
import { listState } from '../../lib/state/listState.js'
import { mapState } from '../../lib/state/mapState.js'
import type { TimeDomain } from '../../lib/state/timers.js'
import { valueState } from '../../lib/state/valueState.js'
import { type Fields, unknown } from './model.js'

/** What a function of a case sees, whatever operator it stands in. */
export interface Seen {
  readonly key: any
  readonly state: any
  readonly broadcast: any
  readonly timestamp: number | undefined
  readonly watermark: number
  readonly processingMs: number
  register(domain: TimeDomain, at: number): void
  remove(domain: TimeDomain, at: number): void
  emit(value: unknown): void
  /** Emits a record without an event time. */
  emitBare(value: unknown): void
  side(tag: string, value: unknown): void
  /** The broadcast side only: visits every key that has a state. */
  visitKeys(state: string, visit: (key: any, handle: any) => void): void
  /** Tells the case what was seen. */
  tell(kind: string, fields: Fields): void
}

/** A function of a user that cases name or describe in words. */
export interface UserFunction {
  readonly state?: StateDescriptors
  readonly broadcast?: StateDescriptors
  readonly sides?: readonly string[]
  first?(value: any, seen: Seen): void
  second?(value: any, seen: Seen): void
  onTimer?(domain: TimeDomain, at: number, seen: Seen): void
}

/** A function of a user that fails where it is to fail. */
export class FunctionFailed extends Error {}

/** A time as the texts of functions show it: the ends of time by their numbers in 64 bits. */
const shown = (time: number): string => (time === Infinity ? '9223372036854775807' : time === -Infinity ? '-9223372036854775808' : String(time))
const ts = ({ timestamp }: Seen): string => (timestamp === undefined ? 'null' : String(timestamp))
const now = (domain: TimeDomain | null, seen: Seen): number => (domain === 'processing' ? seen.processingMs : seen.watermark)
const value = () => valueState(json<any>())

const both = (each: NonNullable<UserFunction['first']>): Pick<UserFunction, 'first' | 'second'> => ({ first: each, second: each })

const keyedByCommand: UserFunction = {
  state: { state: value() },
  first([key, command]: [unknown, string], seen) {
    const [name, argument = ''] = command.split(':') as [string, string?]
    if (name === 'SET_STATE') seen.state.state.update(argument)
    else if (name === 'DELETE_STATE') seen.state.state.clear()
    else if (name === 'EMIT_STATE') seen.emitBare(`ON_ELEMENT:${String(key)}:${seen.state.state.value()}`)
    else if (name === 'SET_EVENT_TIME_TIMER') seen.register('event', Number(argument))
    else if (name === 'SET_PROC_TIME_TIMER') seen.register('processing', Number(argument))
    else throw unknown('command', command)
  },
  onTimer: (domain, _at, seen) => seen.emitBare(`${domain === 'event' ? 'ON_EVENT_TIME' : 'ON_PROC_TIME'}:${seen.state.state.value()}`),
}

const commands: UserFunction = {
  first([, line]: [string, string], seen) {
    for (const command of line.split(';')) {
      const at = command.indexOf(':')
      const [name, argument] = [command.slice(0, at), command.slice(at + 1)]
      if (name === 'e' || name === 'p') seen.register(name === 'e' ? 'event' : 'processing', Number(argument))
      else if (name === 'de' || name === 'dp') seen.remove(name === 'de' ? 'event' : 'processing', Number(argument))
      else if (name === 'emit') seen.emit(argument)
      else throw unknown('command', command)
    }
  },
  onTimer(domain, at, seen) {
    seen.emit(`${domain === 'event' ? 'E' : 'P'}@${at}:${seen.key}`)
    if (String(seen.key).startsWith('chain') && at < 3) seen.register(domain, at + 1)
  },
}

/** By name. The time domain is a parameter of the case. */
const byName: { readonly [name: string]: ((domain: TimeDomain | null) => UserFunction) | undefined } = {
  echoThenTimerPlus5: (domain) => ({
    first(v, seen) {
      seen.emit(v)
      seen.register(domain ?? 'event', now(domain, seen) + 5)
    },
    onTimer: (_domain, _at, seen) => seen.emit(1777),
  }),
  echoSecond: () => ({
    first(v, seen) {
      if (seen.key !== v[0]) throw new Error(`the current key is ${seen.key}, not ${v[0]}`)
      seen.emit(v[1])
    },
  }),
  emitContext: (domain) => ({ first: (v, seen) => seen.emit(`${v}TIME:${shown(now(domain, seen))} TS:${ts(seen)}`) }),
  sideOutputs: () => ({
    sides: ['int-out', 'long-out'],
    first(v, seen) {
      seen.emit(`IN:${v}`)
      seen.side('int-out', v)
      seen.side('long-out', v)
    },
  }),
  nullSideTag: () => ({ first: (v, seen) => seen.side(null as never, v) }),
}

const broadcastKeys = ['test1', 'test2', 'test3']

/** By what they do, in the words of the files. */
const byDoc: { readonly [doc: string]: UserFunction | undefined } = {
  'both inputs: emit `${value}PT:${currentProcessingTime} TS:${elementTimestamp|null}`': both((v, seen) =>
    seen.emit(`${v}PT:${shown(seen.processingMs)} TS:${ts(seen)}`),
  ),
  'both inputs: emit `${value}WM:${currentWatermark} TS:${elementTimestamp|null}`': both((v, seen) =>
    seen.emit(`${v}WM:${shown(seen.watermark)} TS:${ts(seen)}`),
  ),
  'input1: register processing 3, event 6, delete processing 3; input2: register event 4, processing 5, delete event 4; onTimer emits EVENT:1777 / PROC:1777':
    {
      first(_v, seen) {
        seen.register('processing', 3)
        seen.register('event', 6)
        seen.remove('processing', 3)
      },
      second(_v, seen) {
        seen.register('event', 4)
        seen.register('processing', 5)
        seen.remove('event', 4)
      },
      onTimer: (domain, _at, seen) => seen.emit(domain === 'event' ? 'EVENT:1777' : 'PROC:1777'),
    },
  "value=[key, command]; key=value[0]. SET_STATE:x -> ValueState=x; EMIT_STATE -> emit `ON_ELEMENT:${key}:${state}` (no timestamp); SET_EVENT_TIME_TIMER:t / SET_PROC_TIME_TIMER:t register timers; onEventTime: emit `ON_EVENT_TIME:${state of the timer's key}`; onProcessingTime: emit `ON_PROC_TIME:${state}`":
    keyedByCommand,
  "value=[key, commands separated by ';']: e:<t> register event timer, p:<t> register processing timer, de:<t>/dp:<t> delete, emit:<x> emit x. onTimer emits `E@${ts}:${key}` or `P@${ts}:${key}`; a timer at ts whose key starts with 'chain' registers another timer of the same domain at ts+1 as long as ts < 3":
    commands,
  'each element (either input) registers an event-time timer at its value; onTimer emits the timer timestamp as a record without a record timestamp; all elements share one key':
    {
      ...both((v, seen) => seen.register('event', v)),
      onTimer: (_domain, at, seen) => seen.emitBare(at),
    },
  'input1 keyed by value: append value to keyed ListState. input2 (broadcast): applyToKeyedState visits every (key, list) pair': {
    state: { list: listState(json<any>()) },
    first: (v, seen) => seen.state.list.add(v),
    second(_v, seen) {
      const entries: { [key: string]: unknown } = {}
      seen.visitKeys('list', (key, list) => {
        entries[key] = [...list]
      })
      seen.tell('visit', { entries })
    },
  },
  'broadcast input2: emit `BR:${v} WM:${currentWatermark} TS:${ts}`; keyed input1: register event timer at 41, emit `NON-BR:${v} WM:${currentWatermark} TS:${ts}`; onTimer: emit `TIMER:${timerTs}`':
    {
      first(v, seen) {
        seen.register('event', 41)
        seen.emit(`NON-BR:${v} WM:${shown(seen.watermark)} TS:${ts(seen)}`)
      },
      second: (v, seen) => seen.emit(`BR:${v} WM:${shown(seen.watermark)} TS:${ts(seen)}`),
      onTimer: (_domain, at, seen) => seen.emit(`TIMER:${at}`),
    },
  "processBroadcastElement tries to read keyed ValueState 'any'": {
    state: { any: value() },
    // It does not compile: the broadcast side is handed no keyed state. Whoever tries all the same fails while running.
    second(_v, seen) {
      try {
        seen.state.any.value()
      } catch (cause) {
        throw new FunctionFailed('there is no keyed state on the broadcast side', { cause })
      }
    },
  },
  'broadcast input2: for k in [test1,test2,test3] state.put(k,v), emit `${v}WM:${currentWatermark} TS:${ts}`; input1: asserts the key set of the state, emit the same string':
    {
      broadcast: { map: mapState(json<string>(), json<any>()) },
      first(v, seen) {
        const keys = [...seen.broadcast.map.keys()].sort()
        if (keys.join() !== broadcastKeys.join()) throw new Error(`the broadcast state has the keys ${keys.join()}`)
        seen.emit(`${v}WM:${shown(seen.watermark)} TS:${ts(seen)}`)
      },
      second(v, seen) {
        for (const key of broadcastKeys) seen.broadcast.map.put(key, v)
        seen.emit(`${v}WM:${shown(seen.watermark)} TS:${ts(seen)}`)
      },
    },
  'broadcast input2: stateA.put(`key.${v}`, v) and stateB.put(v, `value.${v}`); input1: emit `${v}:${k}->${x}` for all entries of stateA then stateB':
    {
      broadcast: { a: mapState(json<any>(), json<any>()), b: mapState(json<any>(), json<any>()) },
      first(v, seen) {
        for (const [k, x] of [...seen.broadcast.a, ...seen.broadcast.b]) seen.emit(`${v}:${k}->${x}`)
      },
      second(v, seen) {
        seen.broadcast.a.put(`key.${v}`, v)
        seen.broadcast.b.put(v, `value.${v}`)
      },
    },
  'broadcast input2: for k in [test1,test2,test3] broadcastState.put(k, v); keyed input1: emit `${k}=${v}` for each entry of the broadcast state': {
    broadcast: { map: mapState(json<string>(), json<any>()) },
    first(_v, seen) {
      for (const [k, v] of seen.broadcast.map) seen.emit(`${k}=${v}`)
    },
    second(v, seen) {
      for (const key of broadcastKeys) seen.broadcast.map.put(key, v)
    },
  },
  "broadcast input2: side 'br-out' <- `BR:${v} WM:${currentWatermark} TS:${ts}`; input1: side 'non-br-out' <- `NON-BR:${v} WM:${currentWatermark} TS:${ts}`":
    {
      sides: ['br-out', 'non-br-out'],
      first: (v, seen) => seen.side('non-br-out', `NON-BR:${v} WM:${shown(seen.watermark)} TS:${ts(seen)}`),
      second: (v, seen) => seen.side('br-out', `BR:${v} WM:${shown(seen.watermark)} TS:${ts(seen)}`),
    },
}

const remembering =
  /^ValueState seen(?: shared by both inputs)?: if null -> emit `([^`]*)`, seen=String\(v\), register (event|processing)(?:-time)? timer (?:watermark|now|currentWatermark|currentProcessingTime)\+(\d+); else clear seen and delete (?:event|processing)(?:-time)? timer (?:watermark|now|currentWatermark|currentProcessingTime)\+(\d+); onTimer: emit `STATE:\$\{seen\}`$/

/** A value that is remembered for a while, unless another comes. */
function rememberOrForget(doc: string): UserFunction | undefined {
  const found = remembering.exec(doc)
  if (found === null) return undefined
  const [, written, domain, after, before] = found as unknown as readonly [string, string, TimeDomain, string, string]
  const on =
    (input: number) =>
    (v: unknown, seen: Seen): void => {
      if (seen.state.seen.value() === undefined) {
        seen.emit(written.replace(/\$\{inputNo\}/g, String(input)).replace(/\$\{v\}/g, String(v)))
        seen.state.seen.update(String(v))
        seen.register(domain, now(domain, seen) + Number(after))
      } else {
        seen.state.seen.clear()
        seen.remove(domain, now(domain, seen) + Number(before))
      }
    }
  return { state: { seen: value() }, first: on(1), second: on(2), onTimer: (_domain, _at, seen) => seen.emit(`STATE:${seen.state.seen.value()}`) }
}

/**
 * Sentences made of a few words, in any order: `input1: emit X, register event timer at 5; onTimer: emit Y`. Where X is a text
 * in backticks or quotes, it may name the value, the times and the key.
 */
function byWords(doc: string): UserFunction | undefined {
  type Step = (v: any, seen: Seen, at: number | undefined) => void
  const texts: string[] = []
  const plain = doc.replace(/`[^`]*`|'[^']*'/g, (found) => `"${texts.push(found.slice(1, -1)) - 1}"`)
  const on: { first?: Step; second?: Step; timer?: Step } = {}
  const sides: string[] = []
  for (const clause of plain.split(';')) {
    const parts = /^\s*(?:(?:value=[^:]*|key=[^:]*)\s*)?([A-Za-z0-9 ()]+?)\s*:\s*(.+?)\s*$/.exec(clause)
    if (parts === null) return undefined
    const steps: Step[] = []
    for (const action of (parts[2] as string).split(/,\s*(?![^[]*\])/)) {
      const step = actionOf(action.trim(), texts, sides)
      if (step === undefined) return undefined
      steps.push(step)
    }
    const all: Step = (v, seen, at) => {
      for (const step of steps) step(v, seen, at)
    }
    const who = (parts[1] as string).trim()
    if (who === 'onTimer') on.timer = all
    else if (/^(both inputs|either input|each element|onElement|for each element)$/.test(who)) on.first = on.second = all
    else if (/(^|\s)input1$/.test(who)) on.first = all
    else if (/(^|\s)input2$/.test(who)) on.second = all
    else return undefined
  }
  const { first, second, timer } = on
  return {
    sides,
    ...(first === undefined ? {} : { first: (v: any, seen: Seen) => first(v, seen, undefined) }),
    ...(second === undefined ? {} : { second: (v: any, seen: Seen) => second(v, seen, undefined) }),
    ...(timer === undefined ? {} : { onTimer: (_domain: TimeDomain, at: number, seen: Seen) => timer(undefined, seen, at) }),
  }
}

function actionOf(action: string, texts: readonly string[], sides: string[]): ((v: any, seen: Seen, at: number | undefined) => void) | undefined {
  const side = /^side "(\d+)" <- (.+)$/.exec(action) ?? /^(?:emit )?(.+) to side "(\d+)"$/.exec(action)
  if (side !== null) {
    const swapped = !action.startsWith('side')
    const tag = texts[Number(swapped ? side[2] : side[1])] as string
    const content = termOf((swapped ? side[1] : side[2]) as string, texts)
    if (content === undefined) return undefined
    sides.push(tag)
    return (v, seen, at) => seen.side(tag, content(v, seen, at))
  }
  const emit = /^(?:then )?emits? (.+?)(?: to main)?$/.exec(action)
  if (emit !== null) {
    const term = termOf(emit[1] as string, texts)
    return term === undefined ? undefined : (v, seen, at) => seen.emit(term(v, seen, at))
  }
  const timer = /^(?:then )?(register|delete) (event|processing) timer(?: at)? (.+)$/.exec(action)
  if (timer === null) return undefined
  const term = termOf(timer[3] as string, texts)
  const domain = timer[2] as TimeDomain
  if (term === undefined) return undefined
  return (v, seen, at) =>
    timer[1] === 'register' ? seen.register(domain, Number(term(v, seen, at))) : seen.remove(domain, Number(term(v, seen, at)))
}

type Term = (v: any, seen: Seen, at: number | undefined) => unknown

const terms: { readonly [name: string]: Term | undefined } = {
  v: (v) => v,
  value: (v) => v,
  'its value': (v) => v,
  key: (_v, seen) => seen.key,
  currentKey: (_v, seen) => seen.key,
  ts: (_v, seen, at) => at ?? ts(seen),
  timerTs: (_v, _seen, at) => at,
  'the timer timestamp': (_v, _seen, at) => at,
  elementTimestamp: (_v, seen) => ts(seen),
  'elementTimestamp|null': (_v, seen) => ts(seen),
  watermark: (_v, seen) => seen.watermark,
  currentWatermark: (_v, seen) => seen.watermark,
  currentProcessingTime: (_v, seen) => seen.processingMs,
  now: (_v, seen) => seen.processingMs,
}

function termOf(written: string, texts: readonly string[]): Term | undefined {
  if (/^-?\d+$/.test(written)) return () => Number(written)
  const quoted = /^"(\d+)"$/.exec(written)
  if (quoted !== null) return template(texts[Number(quoted[1])] as string)
  const at = /^value\[(\d+)\]$/.exec(written)
  if (at !== null) return (v) => v[Number(at[1])]
  const sum = /^(\w+)\s*([+-])\s*(\d+)$/.exec(written)
  if (sum === null) return terms[written]
  const left = terms[sum[1] as string]
  const by = Number(sum[3]) * (sum[2] === '-' ? -1 : 1)
  return left === undefined ? undefined : (v, seen, timer) => Number(left(v, seen, timer)) + by
}

function template(written: string): Term | undefined {
  const holes = [...written.matchAll(/\$\{([^}]*)\}/g)].map((hole) => termOf(hole[1] as string, []))
  if (holes.some((hole) => hole === undefined)) return undefined
  return (v, seen, at) => {
    let index = 0
    return written.replace(/\$\{[^}]*\}/g, () => {
      const part = (holes[index++] as Term)(v, seen, at)
      return typeof part === 'number' ? shown(part) : String(part)
    })
  }
}

/** Finds the function of a case: by its name, by its words as a whole, or by their parts. */
export function userFunction(fn: unknown): UserFunction {
  if (fn === undefined || fn === null) return {}
  const { name, doc, timeDomain } = (typeof fn === 'string' ? { name: fn, doc: fn } : fn) as Fields
  const found =
    (name === undefined ? undefined : byName[name]?.(timeDomain ?? null)) ??
    byDoc[doc] ??
    (typeof doc === 'string' ? (rememberOrForget(doc) ?? byWords(doc)) : undefined)
  if (found === undefined) throw unknown('function', name ?? doc)
  return found
}
