/** Steps of a path that a message shows. */
const pathStepsMax = 12
const nameLengthMax = 60

/** What cannot be written, on its way up: it collects the path while the call stack unwinds, so that values that are fine pay nothing for it. */
export class NotEncodable {
  private steps: string[] = []

  constructor(
    public found: string,
    private readonly deepest?: object,
  ) {}

  within(container: object, step: string): this {
    // Met again further up, the deepest value is part of a cycle, and the path to it is the short one.
    if (container === this.deepest) {
      this.found = 'cycle'
      this.steps = []
    } else this.steps.push(step)
    return this
  }

  path(): string {
    const steps = [...this.steps].reverse()
    return `value${steps.slice(0, pathStepsMax).join('')}${steps.length > pathStepsMax ? '…' : ''}`
  }
}

/** Adds a step to a refusal; errors of another kind pass as they are. */
export const refusedWithin = (error: unknown, container: object, step: string): unknown =>
  error instanceof NotEncodable ? error.within(container, step) : error

/** A property as a step of a path. */
export const stepTo = (name: string): string =>
  name.length <= nameLengthMax && /^[A-Za-z_$][A-Za-z0-9_$]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name.slice(0, nameLengthMax))}]`
