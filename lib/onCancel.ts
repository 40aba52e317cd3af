/** What becomes of the checkpoints of a job that is cancelled. */
export type OnCancel = 'retain' | 'delete'
