import type { Reading } from './readings.js'

/** Pieces of a pass: after each of them the course may end. */
const piecesPerPass = 64

export interface Piece {
  readonly from: number
  readonly to: number
}

/**
 * One variant's way over the readings: a first pass, in which keys come into being, then pass after pass until the time is up.
 *
 * Every variant asks for the next piece when it is done with the one before, and hands each result to `take`. What is measured is
 * the time from the end of the first pass to the end of the last piece.
 */
export class Course {
  results = 0
  /** Of the first pass: all variants must agree about it. */
  firstResults = 0
  firstChecksum = 0
  firstMs = Number.NaN
  /** Records and time after the first pass. */
  records = 0
  ms = 0
  private checksum = 0
  private pieces = 0
  private startedMs = Number.NaN

  constructor(
    readonly readings: readonly Reading[],
    private readonly options: {
      readonly measuredMs: number
      readonly nowMs: () => number
      /** Told when the first pass is over, and when the last piece is. */
      readonly onSteady?: () => void
      readonly onEnd?: () => void
    },
  ) {}

  /** Takes a result. */
  take(result: number): void {
    this.results += 1
    this.checksum += result
  }

  /** The next piece, or undefined when the time is up. */
  next(): Piece | undefined {
    const nowMs = this.options.nowMs()
    if (this.pieces === 0) this.startedMs = nowMs
    if (this.pieces === piecesPerPass) this.endFirstPass(nowMs)
    if (this.pieces > piecesPerPass && nowMs - this.startedMs >= this.options.measuredMs) {
      this.ms = nowMs - this.startedMs
      this.options.onEnd?.()
      return undefined
    }
    const piece = this.pieceOf(this.pieces % piecesPerPass)
    if (this.pieces >= piecesPerPass) this.records += piece.to - piece.from
    this.pieces += 1
    return piece
  }

  /** For a variant that made the state of the first pass in another way, and handed its results to `take`. */
  skipFirstPass(): void {
    this.pieces = piecesPerPass
  }

  private endFirstPass(nowMs: number): void {
    this.firstMs = nowMs - this.startedMs
    this.firstChecksum = this.checksum
    this.firstResults = this.results
    this.options.onSteady?.()
    this.startedMs = this.options.nowMs()
  }

  private pieceOf(index: number): Piece {
    const { length } = this.readings
    return { from: Math.floor((index * length) / piecesPerPass), to: Math.floor(((index + 1) * length) / piecesPerPass) }
  }
}
