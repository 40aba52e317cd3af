import { nodeCrypto, nodePrimitives } from './nodePrimitives.js'
import { type Primitives, webPrimitives } from './primitives.js'

/** What this platform has: Node's own where there is Node, else those of browsers. */
export function platformPrimitives(): Primitives {
  const web = webPrimitives()
  const node = nodeCrypto()
  return node === undefined ? web : nodePrimitives(node, web.random)
}
