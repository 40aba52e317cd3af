/** The five steps of the chain, the same functions for every variant; the keyed mean is the third. */
import type { Reading, Sum } from './readings.js'

export const calibrated = ({ device, celsius }: Reading): Reading => ({ device, celsius: celsius + 0.1 })
export const plausible = ({ celsius }: Reading): boolean => celsius > -15
export const fahrenheit = (celsius: number): number => celsius * 1.8 + 32
export const rounded = (value: number): number => Math.round(value * 10) / 10

export const noSum: Sum = { sum: 0, count: 0 }

/** The running mean as a step of `statefulMap`: states are immutable. */
export const running = (state: Sum, reading: Reading): readonly [Sum, number] => {
  const sum = state.sum + reading.celsius
  const count = state.count + 1
  return [{ sum, count }, sum / count]
}
