import type { Course, Piece } from './course.js'
import type { Pieces } from './courseSource.js'
import { Meeting } from './meeting.js'
import type { Reading } from './readings.js'

/** Readings below it do not count. */
export interface Rule {
  readonly leastCelsius: number
}

/** A rule holds for so many readings; for fewer where there are few. */
const readingsPerRuleMax = 10_000

/** A course in pieces of one rule each. */
export class RuledCourse {
  private rest: Piece | undefined
  private rules = 0

  constructor(private readonly course: Course) {}

  get readings(): readonly Reading[] {
    return this.course.readings
  }

  /** The next piece, and the rule that is new with it. */
  next(): { readonly piece: Piece; readonly rule: Rule | undefined } | undefined {
    const piece = this.rest ?? this.course.next()
    if (piece === undefined) return undefined
    const each = Math.min(readingsPerRuleMax, Math.ceil(this.readings.length / 4))
    const to = Math.min(piece.to, (Math.floor(piece.from / each) + 1) * each)
    this.rest = to < piece.to ? { from: to, to: piece.to } : undefined
    return { piece: { from: piece.from, to }, rule: piece.from % each === 0 ? this.newRule() : undefined }
  }

  private newRule(): Rule {
    this.rules += 1
    return { leastCelsius: ((this.rules * 37) % 40) / 2 - 20 }
  }
}

/** The readings and the rules as two streams: readings wait until their rule is known, and a rule until the readings before it are done. */
export function ruled(course: RuledCourse): { readonly readings: Pieces<Reading>; readonly rules: Pieces<Rule> } {
  const meeting = new Meeting(2, () => offered)
  const rules: Rule[] = []
  let offered: Rule | undefined
  return {
    readings: {
      readings: course.readings,
      next: async () => {
        const step = course.next()
        offered = step?.rule
        // The rule is taken, and then it is done.
        if (step === undefined || offered !== undefined) await meeting.arrive()
        if (offered !== undefined) await meeting.arrive()
        return step?.piece
      },
    },
    rules: {
      readings: rules,
      next: async () => {
        if (rules.length > 0) await meeting.arrive()
        const rule = await meeting.arrive()
        if (rule === undefined) return undefined
        rules.push(rule)
        return { from: rules.length - 1, to: rules.length }
      },
    },
  }
}
