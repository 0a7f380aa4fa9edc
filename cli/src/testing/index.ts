// For tests and scripts: a program on a terminal of its own, and what the terminal shows. Never loaded by `kith`.
export { type Cell, Screen, type ScreenOptions } from './screen.node.ts'
