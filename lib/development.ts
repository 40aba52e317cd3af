/** Outside production: what bundlers and Node agree on. */
export function isDevelopment(): boolean {
  const { process } = globalThis as { process?: { env?: { NODE_ENV?: string } } }
  return process?.env?.NODE_ENV !== 'production'
}
