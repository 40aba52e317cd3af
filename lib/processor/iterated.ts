/** Thrown into whoever produces when nobody wants more. */
const enough = new Error('nobody wants more')

/**
 * What is pushed, to be pulled: `produce` hands over lists, and waits until each was taken. Whoever stops early stops it.
 */
export async function* iterated<A>(produce: (hand: (list: readonly A[]) => Promise<void>) => Promise<void>): AsyncGenerator<A, void, undefined> {
  let handed: readonly A[] | undefined
  let over: { readonly error?: unknown } | undefined
  let stopped = false
  let taken: () => void = () => {}
  let wake: () => void = () => {}
  const running = produce((list) => {
    if (stopped) return Promise.reject(enough)
    handed = list
    wake()
    return new Promise((resolve, reject) => {
      taken = () => (stopped ? reject(enough) : resolve())
    })
  }).then(
    () => {
      over = {}
      wake()
    },
    (error: unknown) => {
      over = { error }
      wake()
    },
  )
  try {
    for (;;) {
      if (handed !== undefined) {
        const list = handed
        handed = undefined
        yield* list
        taken()
      } else if (over === undefined)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      else break
    }
  } finally {
    stopped = true
    taken()
    await running
  }
  if ('error' in over) throw over.error
}
