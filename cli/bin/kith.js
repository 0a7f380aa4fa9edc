#!/usr/bin/env node
// The `kith` command. Finds a Node that is new enough; everything else is in src/start.node.ts.
import { runOnCurrentNode } from '@kith/node/reexec'

await runOnCurrentNode({
  name: 'kith',
  script: import.meta.url,
  run: async () => (await import('../dist/start.node.js')).start()
})
