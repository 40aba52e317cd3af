/** Tells the test something. */
export const say = (text: string): void => (globalThis as unknown as { readonly say: (text: string) => void }).say(text)
