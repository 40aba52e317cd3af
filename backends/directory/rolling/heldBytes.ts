/** What the parts of one sink have in memory, counted as it changes. */
export interface HeldBytes {
  /** In no file yet. */
  unwritten: number
  /** In memory, written or not. */
  held: number
}
