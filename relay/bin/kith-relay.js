#!/usr/bin/env node
// The `kith-relay` command. Finds a Node that is new enough; everything else is in src/main.node.ts.
import { runOnCurrentNode } from '@kith/node/reexec'

await runOnCurrentNode({
  name: 'kith-relay',
  script: import.meta.url,
  run: async () => (await import('../dist/main.node.js')).main()
})
