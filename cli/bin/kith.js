#!/usr/bin/env node
// The `kith` command. Finds a Node that is new enough; everything else is in src/start.node.ts.
import { runWithNode } from '@kith/node/reexec'

await runWithNode(import.meta.url, async () => (await import('../dist/start.node.js')).start())
